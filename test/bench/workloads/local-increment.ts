import { cpythonExecutor, cpythonPool } from '../peers/cpython.ts';
import { piscina } from '../peers/piscina.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import { tinypool } from '../peers/tinypool.ts';
import { workerpool } from '../peers/workerpool.ts';
import type { Workload } from '../workload.ts';

/** Nothing to do, 100,000 times: what a pool costs for each item. */
export const localIncrement: Workload = {
  name: 'local-increment',
  title: 'One machine: x + 1',
  figure: 'rate',
  task: 'increment',
  items: { full: 100_000, small: 200 },
  contenders: [
    { peer: shoalLocal, mode: 'items' },
    { peer: cpythonPool, mode: 'items' },
    { peer: cpythonExecutor, mode: 'items', label: 'ProcessPoolExecutor, 100 a chunk' },
    { peer: piscina, mode: 'chunks', label: 'piscina, chunks by hand' },
    { peer: piscina, mode: 'items', share: 0.2 },
    { peer: tinypool, mode: 'items', share: 0.1 },
    { peer: workerpool, mode: 'items', share: 0.1 },
  ],
  goals: [
    { against: 'CPython Pool', atLeast: 1 },
    { against: 'piscina, chunks by hand', atLeast: 2 },
    { against: 'piscina', atLeast: 100 },
    { against: 'tinypool', atLeast: 100 },
    { against: 'workerpool', atLeast: 100 },
  ],
};
