import { cpythonPool } from '../peers/cpython.ts';
import { piscina } from '../peers/piscina.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import type { Workload } from '../workload.ts';

/** The map of `local-increment` where it is the first that a pool has: what V8 compiles meanwhile is in it. */
export const localFirstMap: Workload = {
  name: 'local-first-map',
  title: 'One machine: x + 1, the first map of a pool',
  figure: 'rate',
  task: 'increment',
  items: { full: 100_000, small: 200 },
  // Enough for processes that run, with the time that the second one may still need; nothing is compiled by it.
  warmUpItems: 2,
  restMs: 500,
  contenders: [
    { peer: shoalLocal, mode: 'items' },
    { peer: cpythonPool, mode: 'items' },
    { peer: piscina, mode: 'chunks', label: 'piscina, chunks by hand' },
  ],
  goals: [],
};
