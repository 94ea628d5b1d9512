import { fileURLToPath } from 'node:url';
import type { Peer, Setting } from '../peer.ts';
import { bullmq } from '../peers/bullmq.ts';
import { piscina } from '../peers/piscina.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import { tinypool } from '../peers/tinypool.ts';
import { workerpool } from '../peers/workerpool.ts';
import type { Contender, Workload } from '../workload.ts';

const script = fileURLToPath(new URL('../import-cost.ts', import.meta.url));

const importing = (specifier: string, peer: Peer): Contender => ({
  peer,
  mode: 'items',
  label: `import '${specifier}'`,
  command: (setting: Setting) => [
    process.execPath,
    ...process.execArgv,
    script,
    specifier,
    JSON.stringify(setting),
  ],
});

/** What the import line costs, in a process that has loaded nothing. */
export const importCost: Workload = {
  name: 'import-cost',
  title: 'What the import costs',
  figure: 'time',
  task: 'increment',
  items: { full: 0, small: 0 },
  contenders: [
    importing('shoal', shoalLocal),
    importing('tinypool', tinypool),
    importing('piscina', piscina),
    importing('workerpool', workerpool),
    importing('bullmq', bullmq),
  ],
  goals: [{ atMost: 40 }],
};
