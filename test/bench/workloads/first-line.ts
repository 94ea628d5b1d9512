import { fileURLToPath } from 'node:url';
import { gnuParallel } from '../peers/gnu-parallel.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import type { Workload } from '../workload.ts';

const script = fileURLToPath(new URL('../first-line.ts', import.meta.url));

/** A command line, from the start of its process to its first line. */
export const firstLine: Workload = {
  name: 'first-line',
  title: 'From `shoal map` to its first line',
  figure: 'time',
  task: 'increment',
  times: 'startAndMap',
  items: { full: 2, small: 2 },
  contenders: [
    {
      peer: shoalLocal,
      mode: 'items',
      label: 'shoal map',
      command: (setting) => [process.execPath, ...process.execArgv, script, JSON.stringify(setting)],
    },
    { peer: gnuParallel, mode: 'fresh' },
  ],
  goals: [{ atMost: 350 }],
};
