import { shoalLocal } from '../peers/shoal-local.ts';
import type { Workload } from '../workload.ts';

/**
 * The same where processes wait for something else than a processor: what is left of the price of recycling is how long nobody
 * has the next item.
 */
export const recycledWhileWaiting: Workload = {
  name: 'recycled-while-waiting',
  title: 'One machine: 5 ms of waiting, a new process for every ten tasks',
  figure: 'rate',
  task: 'waitFive',
  items: { full: 600, small: 20 },
  warmUpItems: 100,
  contenders: [
    { peer: shoalLocal, mode: 'tensFork', label: 'Shoal Pool, fork' },
    { peer: shoalLocal, mode: 'items', label: 'Shoal Pool, never recycled' },
  ],
  goals: [{ against: 'Shoal Pool, never recycled', atLeast: 0.95 }],
};
