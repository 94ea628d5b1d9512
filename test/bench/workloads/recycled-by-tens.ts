import { shoalLocal } from '../peers/shoal-local.ts';
import type { Workload } from '../workload.ts';

/** What recycling costs when children are forked: tasks of five milliseconds, with a new process for every ten of them, and with none. */
export const recycledByTens: Workload = {
  name: 'recycled-by-tens',
  title: 'One machine: 5 ms of SHA-256, a new process for every ten tasks',
  figure: 'rate',
  task: 'hashFive',
  items: { full: 600, small: 20 },
  // Ten children: those of the measured map are young however many went before them.
  warmUpItems: 100,
  contenders: [
    { peer: shoalLocal, mode: 'tensFork', label: 'Shoal Pool, fork' },
    { peer: shoalLocal, mode: 'items', label: 'Shoal Pool, never recycled' },
  ],
  goals: [{ against: 'Shoal Pool, never recycled', atLeast: 0.95 }],
};
