import { cpythonPool } from '../peers/cpython.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import { tinypool } from '../peers/tinypool.ts';
import type { Workload } from '../workload.ts';

/** A new process for every task, copied instead of started. */
export const forkedProcess: Workload = {
  name: 'forked-process',
  title: 'One machine: a new process for every task, by forking',
  figure: 'rate',
  task: 'increment',
  items: { full: 400, small: 3 },
  // Every task meets a young process however many went before it; `auto` has learned by then that they live short.
  warmUpItems: 20,
  contenders: [
    { peer: shoalLocal, mode: 'freshFork', label: 'Shoal Pool, fork' },
    { peer: shoalLocal, mode: 'freshWarm', label: 'Shoal Pool, fork and preload' },
    { peer: shoalLocal, mode: 'freshAuto', label: 'Shoal Pool, auto' },
    { peer: shoalLocal, mode: 'fresh', label: 'Shoal Pool, spawn', share: 0.1 },
    { peer: tinypool, mode: 'fresh', share: 0.1 },
    { peer: cpythonPool, mode: 'fresh', label: 'CPython Pool, fork' },
  ],
  goals: [
    { against: 'tinypool', atLeast: 6 },
    { against: 'CPython Pool, fork', atLeast: 0.7 },
  ],
};
