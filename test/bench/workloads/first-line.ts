import { fileURLToPath } from 'node:url';
import type { Peer } from '../peer.ts';
import { gnuParallel } from '../peers/gnu-parallel.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import type { Contender, Workload } from '../workload.ts';

const script = fileURLToPath(new URL('../first-line.ts', import.meta.url));

const firstLineOf = (who: 'shoal' | 'parallel', peer: Peer, label: string): Contender => ({
  peer,
  mode: 'items',
  label,
  command: (setting) => [process.execPath, ...process.execArgv, script, who, JSON.stringify(setting)],
});

/** A command line, from the start of its process to its first line. */
export const firstLine: Workload = {
  name: 'first-line',
  title: 'From `shoal map` to its first line',
  figure: 'time',
  task: 'increment',
  times: 'startAndMap',
  items: { full: 2, small: 2 },
  contenders: [
    firstLineOf('shoal', shoalLocal, 'shoal map'),
    firstLineOf('parallel', gnuParallel, 'GNU parallel, node'),
  ],
  goals: [{ atMost: 350 }],
};
