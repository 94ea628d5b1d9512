import { shoalLocal } from '../peers/shoal-local.ts';
import type { Workload } from '../workload.ts';

/**
 * Children that live long, by each way of starting them: `auto` has to be no slower than the better one, here as in
 * `forked-process`, where they live for one task.
 */
export const longLived: Workload = {
  name: 'long-lived',
  title: 'One machine: 1 ms of SHA-256 an item, children that are never replaced',
  figure: 'rate',
  task: 'hash',
  items: { full: 1_000, small: 40 },
  contenders: [
    { peer: shoalLocal, mode: 'itemsAuto', label: 'Shoal Pool, auto' },
    { peer: shoalLocal, mode: 'items', label: 'Shoal Pool, spawn' },
    { peer: shoalLocal, mode: 'itemsFork', label: 'Shoal Pool, fork' },
  ],
  goals: [],
};
