import { fileURLToPath } from 'node:url';
import type { Peer, Setting } from '../peer.ts';
import { bareNode } from '../peers/bare-node.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import type { Contender, Workload } from '../workload.ts';

const script = fileURLToPath(new URL('../child-memory.ts', import.meta.url));

const childOf = (
  peer: Peer,
  kind: 'shoal' | 'node' | 'shoal-light' | 'node-light',
  label: string,
): Contender => ({
  peer,
  mode: 'items',
  label,
  command: (setting: Setting) => [
    process.execPath,
    ...process.execArgv,
    script,
    kind,
    JSON.stringify(setting),
  ],
});

/**
 * What one more process takes of a machine's memory: Node's own code is in memory once, whoever runs it. The tasks of all
 * other workloads load `node:crypto`, of which a process has a megabyte for itself; so there is one that loads nothing.
 */
export const childMemory: Workload = {
  name: 'child-memory',
  title: 'One machine: private memory of a child process',
  figure: 'memory',
  task: 'increment',
  items: { full: 100, small: 10 },
  contenders: [
    childOf(shoalLocal, 'shoal', "Shoal's child"),
    childOf(bareNode, 'node', 'a Node process that answers messages'),
    childOf(shoalLocal, 'shoal-light', "Shoal's child, without node:crypto"),
    childOf(bareNode, 'node-light', 'a Node process, without node:crypto'),
  ],
  goals: [{ atMost: 10 }],
};
