import { bareNode } from '../peers/bare-node.ts';
import { barePython, cpythonPool } from '../peers/cpython.ts';
import { piscina } from '../peers/piscina.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import { tinypool } from '../peers/tinypool.ts';
import { workerpool } from '../peers/workerpool.ts';
import type { Workload } from '../workload.ts';

/** A millisecond of SHA-256 an item: how much of the machine is left for the work. */
export const localMillisecond: Workload = {
  name: 'local-millisecond',
  title: 'One machine: 1 ms of SHA-256 an item, efficiency',
  figure: 'efficiency',
  task: 'hash',
  items: { full: 2_000, small: 40 },
  contenders: [
    { peer: shoalLocal, mode: 'items', ideal: 'bare Node processes' },
    { peer: cpythonPool, mode: 'items', ideal: 'bare Python processes' },
    {
      peer: piscina,
      mode: 'chunks',
      label: 'piscina, chunks by hand',
      ideal: 'bare Node processes',
    },
    { peer: piscina, mode: 'items', share: 0.5, ideal: 'bare Node processes' },
    { peer: tinypool, mode: 'items', share: 0.5, ideal: 'bare Node processes' },
    { peer: workerpool, mode: 'items', share: 0.5, ideal: 'bare Node processes' },
    { peer: bareNode, mode: 'items', ideal: 'bare Node processes' },
    { peer: barePython, mode: 'items', ideal: 'bare Python processes' },
  ],
  goals: [{ atLeast: 95 }],
};
