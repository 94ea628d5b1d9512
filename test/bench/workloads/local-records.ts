import { cpythonExecutor, cpythonPool } from '../peers/cpython.ts';
import { piscina } from '../peers/piscina.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import { tinypool } from '../peers/tinypool.ts';
import type { Workload } from '../workload.ts';

/** Small records in and out: what most people map over. They are of one shape, which Shoal sends by column: nested ones cost more. */
export const localRecords: Workload = {
  name: 'local-records',
  title: 'One machine: small records',
  figure: 'rate',
  task: 'rescore',
  items: { full: 50_000, small: 200 },
  contenders: [
    { peer: shoalLocal, mode: 'items' },
    { peer: cpythonPool, mode: 'items' },
    { peer: cpythonExecutor, mode: 'items', label: 'ProcessPoolExecutor, 100 a chunk' },
    { peer: piscina, mode: 'chunks', label: 'piscina, chunks by hand' },
    { peer: tinypool, mode: 'items', share: 0.1 },
  ],
  goals: [],
};
