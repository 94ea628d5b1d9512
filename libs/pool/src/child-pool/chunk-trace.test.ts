import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { Pool } from '../pool.ts';
import type { ChunkTrace } from './chunk-trace.ts';
import { ChunkTraces } from './chunk-trace.ts';

const tasks = new URL('../fixtures/child-tasks.ts', import.meta.url);

test('whoever listens to shoal.chunk is told what each chunk cost', async () => {
  const heard: ChunkTrace[] = [];
  const listen = (message: unknown): unknown => heard.push(message as ChunkTrace);
  subscribe('shoal.chunk', listen);
  try {
    await using pool = new Pool({ processes: 1 });
    const texts = Array.from({ length: 20 }, (_, index) => index);
    await pool.map(tasks, texts, { export: 'addOne', chunkSize: 10 });
  } finally {
    unsubscribe('shoal.chunk', listen);
  }
  expect(heard.map(({ task, first, count, ending }) => ({ task, first, count, ending }))).toEqual([
    { task: 'addOne', first: 0, count: 10, ending: 'finished' },
    { task: 'addOne', first: 10, count: 10, ending: 'finished' },
  ]);
  for (const { itemBytes, queuedMs, resultBytes, runMs, totalMs } of heard) {
    expect(itemBytes).toBeGreaterThanOrEqual(10);
    expect(resultBytes).toBeGreaterThanOrEqual(10);
    expect(queuedMs).toBeGreaterThanOrEqual(0);
    expect(runMs).toBeGreaterThan(0);
    expect(totalMs).toBeGreaterThanOrEqual(queuedMs + runMs);
  }
});

test('while nobody listens nothing is kept', () => {
  const traces = new ChunkTraces();
  // A request whose fields are looked at would throw.
  const request = new Proxy({}, { get: () => expect.unreachable() }) as Parameters<ChunkTraces['queued']>[0];
  traces.queued(request);
  traces.given(1);
  traces.ended(1, { kind: 'finished' });
});
