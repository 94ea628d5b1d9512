import { cpythonPool } from '../peers/cpython.ts';
import { gnuParallel } from '../peers/gnu-parallel.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import { tinypool } from '../peers/tinypool.ts';
import type { Workload } from '../workload.ts';

/** A new process for every task: what a start costs. */
export const freshProcess: Workload = {
  name: 'fresh-process',
  title: 'One machine: a new process for every task',
  figure: 'rate',
  task: 'increment',
  items: { full: 60, small: 3 },
  // The first ones of each process: every task meets a young process however many went before it.
  warmUpItems: 2,
  contenders: [
    { peer: shoalLocal, mode: 'fresh' },
    { peer: tinypool, mode: 'fresh' },
    { peer: cpythonPool, mode: 'freshSpawn', label: 'CPython Pool, spawn', share: 0.5 },
    { peer: cpythonPool, mode: 'fresh', label: 'CPython Pool, fork' },
    { peer: gnuParallel, mode: 'fresh' },
  ],
  goals: [{ against: 'tinypool', atLeast: 1.3 }],
};
