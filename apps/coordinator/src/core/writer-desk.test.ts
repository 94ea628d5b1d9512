/** Which blocks of a job come in, when, and how its input ends. */
import { expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { running } from './coordinator-machine.testkit.ts';

test('blocks come in order, each once: a gap or a repetition is refused', () => {
  const world = running();
  expect(world.push(11, 0, 5)).toContainEqual({
    type: 'keepBlock',
    call: 11,
    job: 'job',
    first: 0,
    count: 5,
  });
  expect(world.push(11, 0, 5)).toMatchObject([{ type: 'refuse', call: 11 }]);
  world.write(12, 5);
  expect(world.push(12, 6, 1)).toMatchObject([
    { refusal: { reason: 'begins at 6 with 1 items; the next item is 5' } },
  ]);
});

test('a writer that comes back is told the item to go on with, if it does not know', () => {
  const world = running();
  world.push(11, 0, 5);
  world.do({ type: 'writerClosed', call: 11, orderly: false });
  expect(world.write(20, 0)).toEqual([
    {
      type: 'refuse',
      call: 20,
      refusal: { code: 'ITEMS_OUT_OF_STEP', job: 'job', next: 5, index: 0 },
    },
  ]);
  expect(world.write(21, 5)).toEqual([{ type: 'bindWriter', call: 21, job: 'job' }]);
});

test('a writer that was replaced is told so, and its late blocks do not exist', () => {
  const world = running();
  expect(world.write(20)).toEqual([
    { type: 'refuse', call: 11, refusal: { code: 'STREAM_REPLACED', what: 'PushItems', job: 'job' } },
    { type: 'bindWriter', call: 20, job: 'job' },
  ]);
  expect(world.all({ type: 'blockReceived', call: 11, first: 0, count: 5, bytes: 5 })).toEqual([]);
  expect(world.endInput(11, 0)).toEqual([]);
  expect(world.machine.job('job')).toMatchObject({ pushed: 0, inputEnded: false });
});

test('a block that others are about to follow is kept at once, and handed out with them', () => {
  const world = running({ chunkSize: 10 });
  world.agent();
  const block = { type: 'blockReceived', call: 11, count: 4, bytes: 4, more: true } as const;
  const types = [0, 4].flatMap((first) => world.all({ ...block, first }).map(({ type }) => type));
  expect(types).toEqual(['keepBlock', 'keepBlock']);
  const dispatched = world.only('dispatch', { type: 'clockTicked' });
  expect(dispatched.map(({ first, count }) => [first, count])).toEqual([[0, 8]]);
});

test('a block beyond the grant waits with its stream, and comes in when outcomes were taken', () => {
  const world = running({ windowItems: 10 });
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 10, bytes: 10 }));
  expect(world.push(11, 10, 5)).toEqual([{ type: 'holdBlock', call: 11, job: 'job' }]);
  expect(world.acknowledge(2, 10)).toEqual([
    { type: 'answer', call: 2 },
    { type: 'keepBlock', call: 11, job: 'job', first: 10, count: 5 },
    { type: 'resumeWriter', call: 11 },
  ]);
});

test('a grant that falls, because the bytes of the job are all in use, stops its writer', () => {
  const world = running({ windowBytes: 1_000, windowItems: 100 });
  const event = { type: 'blockReceived', call: 11, first: 0, count: 1, bytes: 2_000 } as const;
  expect(world.all(event).some(({ type }) => type === 'keepBlock')).toBe(true);
  expect(world.push(11, 1, 1)).toEqual([{ type: 'holdBlock', call: 11, job: 'job' }]);
});

test('a producer is held by the number of its items at the limit, not at one fewer, and by none once one was taken', () => {
  const world = running({ windowItems: 10 });
  const block = { type: 'blockReceived', call: 11 } as const;
  const first = world.all({ ...block, first: 0, count: 9, bytes: 9 });
  expect(world.machine.heldBy('job')).toBeUndefined();
  triedLimit('windowItems', 9, 10);
  const last = world.all({ ...block, first: 9, count: 1, bytes: 1 });
  expect(world.machine.heldBy('job')).toBe('windowItems');
  triedLimit('windowItems', 10, 10);
  expect(world.push(11, 10, 1)).toEqual([{ type: 'holdBlock', call: 11, job: 'job' }]);
  triedLimit('windowItems', 11, 10);
  expect(world.machine.heldBy('job')).toBe('windowItems');
  world.runAll([...first, ...last]);
  world.acknowledge(2, 10);
  expect(world.machine.heldBy('job')).toBeUndefined();
  world.endInput(11, 11);
  expect(world.machine.heldBy('job'), 'nothing is left to send').toBeUndefined();
  expect(world.machine.heldBy('another')).toBeUndefined();
});

test.each([
  [999, undefined],
  [1_000, 'windowBytes'],
  [1_001, 'windowBytes'],
])('a producer that has sent %i of 1,000 bytes is held by %s', (bytes, holds) => {
  const world = running({ windowBytes: 1_000, windowItems: 100 });
  world.all({ type: 'blockReceived', call: 11, first: 0, count: 1, bytes });
  expect(world.machine.heldBy('job')).toBe(holds);
  triedLimit('windowBytes', bytes, 1_000);
  const next = world.push(11, 1, 1).map(({ type }) => type);
  expect(next.includes('holdBlock')).toBe(holds !== undefined);
});

test('a job that knows how many items it has is not held by a window that they fill', () => {
  const world = running({ windowItems: 10, totalItems: 10 });
  world.push(11, 0, 10);
  expect(world.machine.heldBy('job')).toBeUndefined();
});

test('the end of the input that came behind a waiting block is taken after it', () => {
  const world = running({ windowItems: 10 });
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 10, bytes: 10 }));
  world.push(11, 10, 5);
  expect(world.endInput(11, 15)).toEqual([]);
  expect(world.do({ type: 'writerClosed', call: 11, orderly: true })).toEqual([]);
  expect(world.acknowledge(2, 10)).toEqual([
    { type: 'answer', call: 2 },
    { type: 'keepBlock', call: 11, job: 'job', first: 10, count: 5 },
    { type: 'endWriter', call: 11, acceptedItems: 15 },
  ]);
});

test('a stream that ends without an end of input says how far it came, and another one goes on', () => {
  const world = running();
  world.push(11, 0, 5);
  expect(world.do({ type: 'writerClosed', call: 11, orderly: true })).toEqual([
    { type: 'endWriter', call: 11, acceptedItems: 5 },
  ]);
  expect(world.write(20, 5)).toEqual([{ type: 'bindWriter', call: 20, job: 'job' }]);
});

test('a total that is not what came fails the call', () => {
  const world = running();
  world.push(11, 0, 5);
  expect(world.endInput(11, 6)).toMatchObject([
    { refusal: { code: 'REQUEST_INVALID', field: 'end_of_input.total_items' } },
  ]);
});

test('an end of input whose answer was lost can be repeated', () => {
  const world = running();
  world.push(11, 0, 5);
  world.endInput(11, 5);
  world.write(20, 5);
  expect(world.endInput(20, 5)).toEqual([{ type: 'endWriter', call: 20, acceptedItems: 5 }]);
});

test('where the room is tight a job goes on a block at a time, and freely when there is room again', () => {
  const world = running();
  world.do({ type: 'storageChanged', isTight: true });
  const first = world.all({ type: 'blockReceived', call: 11, first: 0, count: 5, bytes: 5 });
  world.runAll(first);
  expect(world.machine.heldBy('job')).toBe('payloadBytes');
  expect(world.push(11, 5, 5)).toEqual([{ type: 'holdBlock', call: 11, job: 'job' }]);
  const taken = { type: 'acknowledgementReceived', call: 2, job: 'job', session: '', position: 5 } as const;
  const next = world.all(taken);
  expect(next).toContainEqual({ type: 'keepBlock', call: 11, job: 'job', first: 5, count: 5 });
  world.runAll(next);
  world.push(11, 10, 5);
  expect(world.do({ type: 'storageChanged', isTight: false })).toEqual([
    { type: 'keepBlock', call: 11, job: 'job', first: 10, count: 5 },
    { type: 'resumeWriter', call: 11 },
  ]);
});

test('a job whose bytes have no place ends with the reason, and others go on', () => {
  const world = running();
  world.request(2, 'other');
  world.push(11, 0, 5);
  expect(world.do({ type: 'storageFailed', job: 'job', reason: 'the disk is full' })).toEqual([
    { type: 'finishJob', job: 'job', ending: { state: 'noRoom', reason: 'the disk is full' } },
    { type: 'endWriter', call: 11, acceptedItems: 5 },
    { type: 'endReader', call: 12, job: 'job' },
  ]);
  expect(world.machine.job('other')?.ending).toBeUndefined();
});
