import { fileURLToPath } from 'node:url';
import { shoalLocal } from '../peers/shoal-local.ts';
import type { Contender, Workload } from '../workload.ts';

const script = fileURLToPath(new URL('../child-memory.ts', import.meta.url));

const childOf = (kind: 'idle-fork' | 'idle-spawn', label: string): Contender => ({
  peer: shoalLocal,
  mode: 'items',
  label,
  command: (setting) => [process.execPath, ...process.execArgv, script, kind, JSON.stringify(setting)],
});

/** What a forked child does not share with its server before it has done anything. */
export const forkedMemory: Workload = {
  name: 'forked-memory',
  title: 'One machine: private memory of an idle forked child',
  figure: 'memory',
  task: 'increment',
  items: { full: 100, small: 10 },
  contenders: [childOf('idle-fork', 'a forked child'), childOf('idle-spawn', 'a spawned child')],
  goals: [{ atMost: 2 }],
};
