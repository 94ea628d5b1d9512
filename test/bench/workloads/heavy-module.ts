import { shoalLocal } from '../peers/shoal-local.ts';
import type { Workload } from '../workload.ts';

/** A new process for every task, and a module that takes 150 ms to load: loaded once, or in each of them. */
export const heavyModule: Workload = {
  name: 'heavy-module',
  title: 'One machine: a new process for every task, of a module that takes 150 ms to load',
  figure: 'rate',
  task: 'increment',
  items: { full: 300, small: 3 },
  // The first ones of each process: every task meets a young process however many went before it.
  warmUpItems: 4,
  contenders: [
    { peer: shoalLocal, mode: 'freshHeavyWarm', label: 'Shoal Pool, fork and preload' },
    { peer: shoalLocal, mode: 'freshHeavy', label: 'Shoal Pool, spawn', share: 0.1 },
  ],
  goals: [{ against: 'Shoal Pool, spawn', atLeast: 20 }],
};
