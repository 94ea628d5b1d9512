/** Bytes that are no results: the program that asked for them goes on, whatever they say of themselves. */
import { expect, test } from 'vitest';
import type { MapPool } from '../map-pool.ts';
import { task } from '../task/task.ts';
import { encodeBlock, encodeValue } from '../values/block-codec.ts';
import { FakeBackend } from './fake-backend.testkit.ts';
import { surfaceOver } from './surface.ts';

const double = task(import.meta, (x: number) => x * 2);
const items = Array.from({ length: 16 }, (_, at) => at);

function surface(): { pool: MapPool; backend: FakeBackend } {
  const backend = new FakeBackend();
  return { pool: surfaceOver(backend, { processes: 2 }), backend };
}

function sparse(length: number): unknown[] {
  const list: unknown[] = [];
  list.length = length;
  return list;
}

function wide(width: number): object {
  const column = items.map(() => 1);
  const keys = Array.from({ length: width }, (_, at) => `key ${at}`);
  return { keys, columns: keys.map(() => column) };
}

function withHole(): unknown[] {
  const list: unknown[] = [...items];
  delete list[15];
  return list;
}

const forged: readonly [what: string, bytes: Uint8Array][] = [
  ['text', Buffer.from('hello')],
  ['an object', encodeValue({ a: 1 })],
  ['too few values', encodeValue([1, 2])],
  ['a list that breaks off', encodeBlock('v8', items).subarray(0, -4)],
  [
    'records, 4,294,967,295 of them, none with a field',
    encodeValue({ keys: ['a'], columns: [sparse(2 ** 32 - 1)] }),
  ],
  ['records of 65 fields', encodeValue(wide(65))],
  ['records of 100,000 fields', encodeValue(wide(100_000))],
  ['records of which the last lacks a field', encodeValue({ keys: ['a'], columns: [withHole()] })],
];

test.each(forged)('%s: map rejects, with the process that sent it', async (_, bytes) => {
  const { pool, backend } = surface();
  const out = pool.map(double, items);
  backend.job.sink.values(0, 16, bytes, 0, { agent: 'agent-7', pid: 4711 });
  backend.job.ends();
  await expect(out).rejects.toMatchObject({
    code: 'RESULT_UNREADABLE',
    index: 0,
    agent: 'agent-7',
    pid: 4711,
    message: expect.stringContaining('what agent-7 pid 4711 sent in its place is no result ('),
  });
});

test.each(forged)('%s: each item of mapSettled and of a stream fails by itself', async (_, bytes) => {
  const { pool, backend } = surface();
  const settled = pool.mapSettled(double, [...items, 16]);
  backend.job.sink.values(0, 16, bytes);
  backend.job.gives(16, 'whole');
  backend.job.ends();
  const outcomes = await settled;
  expect(outcomes.slice(0, 16).map(({ status }) => status)).toEqual(items.map(() => 'rejected'));
  expect(outcomes[16]).toEqual({ status: 'fulfilled', index: 16, value: 'whole' });

  const stream = pool.imap(double, [...items, 16]);
  backend.job.sink.values(0, 16, bytes);
  backend.job.gives(16, 'whole');
  backend.job.ends();
  for (const index of items) {
    await expect(stream.next()).rejects.toMatchObject({ code: 'RESULT_UNREADABLE', index });
  }
  expect(await stream.next()).toEqual({ done: false, value: 'whole' });
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test('of records that say they are more than were accepted only those are made', async () => {
  const { pool, backend } = surface();
  const out = pool.map(double, items);
  const ids: unknown[] = items.map((id) => id + 1);
  ids.length = 4_000_000_000;
  backend.job.sink.values(0, 16, encodeValue({ keys: ['id'], columns: [ids] }));
  backend.job.ends();
  expect(await out).toEqual(items.map((id) => ({ id: id + 1 })));
});

test('what was said to be done and cannot be read counts as failed', async () => {
  const { pool, backend } = surface();
  const told: { done: number; failed: number }[] = [];
  const out = pool.map(double, [...items, 16], { onProgress: (now) => void told.push(now) });
  backend.job.sink.values(0, 16, Buffer.from('hello'));
  backend.job.gives(16, 'whole');
  backend.job.ends();
  await expect(out).rejects.toMatchObject({ code: 'RESULT_UNREADABLE', index: 0 });
  expect(told.at(-1)).toMatchObject({ total: 17, done: 1, failed: 16 });
});

test('with failFast they end the job of mapSettled, which tells what is known by then', async () => {
  const { pool, backend } = surface();
  const settled = pool.mapSettled(double, [...items, 16, 17], { failFast: true });
  backend.job.gives(17, 'whole');
  backend.job.sink.values(0, 16, Buffer.from('hello'));
  const outcomes = await settled;
  expect(outcomes.map(({ index, status }) => [index, status])).toEqual([
    ...items.map((index) => [index, 'rejected']),
    [17, 'fulfilled'],
  ]);
  expect(backend.job.cancelled).toBe('an item failed');
});

test('with failFast the first of them ends the job', async () => {
  const { pool, backend } = surface();
  const out = pool.map(double, items, { failFast: true });
  backend.job.sink.values(0, 16, Buffer.from('hello'));
  await expect(out).rejects.toMatchObject({ code: 'RESULT_UNREADABLE', index: 0 });
  const stream = pool.imap(double, items, { failFast: true });
  backend.job.sink.values(0, 16, Buffer.from('hello'));
  await expect(stream.next()).rejects.toMatchObject({ code: 'RESULT_UNREADABLE', index: 0 });
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});
