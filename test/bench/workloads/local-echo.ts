import { cpythonExecutor, cpythonPool } from '../peers/cpython.ts';
import { piscina } from '../peers/piscina.ts';
import { shoalLocal } from '../peers/shoal-local.ts';
import { tinypool } from '../peers/tinypool.ts';
import { workerpool } from '../peers/workerpool.ts';
import type { Workload } from '../workload.ts';

/** 10 KiB there and 10 KiB back: what bytes cost. */
export const localEcho: Workload = {
  name: 'local-echo',
  title: 'One machine: echo of 10 KiB strings',
  figure: 'rate',
  task: 'echo',
  items: { full: 5_000, small: 40 },
  contenders: [
    { peer: shoalLocal, mode: 'items' },
    { peer: cpythonExecutor, mode: 'items', label: 'ProcessPoolExecutor, 100 a chunk' },
    { peer: cpythonPool, mode: 'items' },
    { peer: piscina, mode: 'items', label: 'piscina (threads)' },
    { peer: tinypool, mode: 'items' },
    { peer: workerpool, mode: 'items' },
  ],
  goals: [
    { against: 'ProcessPoolExecutor, 100 a chunk', atLeast: 1 },
    { against: 'tinypool', atLeast: 2 },
    { against: 'workerpool', atLeast: 2 },
  ],
};
