import { cpythonPool } from '../peers/cpython.ts';
import { piscina } from '../peers/piscina.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import { tinypool } from '../peers/tinypool.ts';
import { workerpool } from '../peers/workerpool.ts';
import type { Workload } from '../workload.ts';

/** From a new pool to its first result; what the import costs is a workload of its own. */
export const firstResult: Workload = {
  name: 'first-result',
  title: 'From a new pool to its first result',
  figure: 'time',
  task: 'increment',
  times: 'startAndMap',
  items: { full: 1, small: 1 },
  contenders: [
    { peer: shoalLocal, mode: 'items' },
    { peer: cpythonPool, mode: 'items' },
    { peer: piscina, mode: 'items' },
    { peer: tinypool, mode: 'items' },
    { peer: workerpool, mode: 'items' },
  ],
  goals: [{ atMost: 80 }],
};
