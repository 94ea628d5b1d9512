import { expect, test } from 'vitest';
import type { CoordinatorCommand } from './coordinator-command.ts';
import { CoordinatorWorld } from './coordinator-machine.testkit.ts';

/** A job with a writer (call 11) and a reader (call 12), and one agent. */
function running(spec = {}): CoordinatorWorld {
  const world = new CoordinatorWorld();
  world.request(1, 'job', 'r', 'f', spec);
  world.write(11);
  world.read(12);
  world.agent();
  return world;
}

test('a request creates one job: the same again finds it, the same id with other content is refused', () => {
  const world = new CoordinatorWorld();
  expect(world.request(1, 'job-1', 'r')).toEqual([
    { type: 'createJob', call: 1, job: 'job-1' },
    { type: 'answerCreate', call: 1, job: 'job-1' },
  ]);
  expect(world.request(2, 'job-2', 'r')).toEqual([{ type: 'answerCreate', call: 2, job: 'job-1' }]);
  expect(world.request(3, 'job-3', 'r', 'other')).toEqual([
    { type: 'refuse', call: 3, refusal: { code: 'JOB_EXISTS', requestId: 'r' } },
  ]);
  expect(world.request(4, 'job-4', 's')).toContainEqual({ type: 'answerCreate', call: 4, job: 'job-4' });
});

test('requests without an id create a job each', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job-1');
  expect(world.request(2, 'job-2')).toContainEqual({ type: 'createJob', call: 2, job: 'job-2' });
});

test('a coordinator that stops takes no new job, and still answers for one that it has', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job-1', 'r');
  world.do({ type: 'stopRequested' });
  expect(world.request(2, 'job-2', 's')).toEqual([
    { type: 'refuse', call: 2, refusal: { code: 'COORDINATOR_STOPPING' } },
  ]);
  expect(world.request(3, 'job-3', 'r')).toEqual([{ type: 'answerCreate', call: 3, job: 'job-1' }]);
});

test('jobs that run are waited for as long as an agent or a client is left', () => {
  const world = new CoordinatorWorld();
  expect(world.machine.isAwaited()).toBe(false);
  world.request(1, 'job');
  expect(world.machine.isAwaited()).toBe(false);
  world.read(12);
  expect(world.machine.isAwaited()).toBe(true);
  world.do({ type: 'readerClosed', call: 12 });
  expect(world.machine.isAwaited()).toBe(false);
  world.agent();
  expect(world.machine.isAwaited()).toBe(true);
  world.do({ type: 'sessionClosed', session: 1, orderly: false });
  // It may be back in a moment.
  expect(world.machine.isAwaited()).toBe(true);
  world.pass(3_000);
  expect(world.machine.isAwaited()).toBe(false);
});

test('there are no more than maxJobs jobs', () => {
  const world = new CoordinatorWorld({ maxJobs: 1 });
  world.request(1, 'job-1');
  expect(world.request(2, 'job-2')).toEqual([
    { type: 'refuse', call: 2, refusal: { code: 'LIMIT_REACHED', limit: 'jobs', value: 2, most: 1 } },
  ]);
});

test('the requests of all jobs together are bounded, and those of forgotten ones make room', () => {
  const world = new CoordinatorWorld({ maxRequestBytes: 100 });
  world.request(1, 'job-1', '', 'f', {}, 60);
  expect(world.request(2, 'job-2', '', 'f', {}, 41)).toEqual([
    {
      type: 'refuse',
      call: 2,
      refusal: { code: 'LIMIT_REACHED', limit: 'requestBytes', value: 101, most: 100 },
    },
  ]);
  world.do({ type: 'jobReleased', job: 'job-1', reason: 'its client hung up' });
  expect(world.request(3, 'job-3', '', 'f', {}, 41)).toContainEqual({
    type: 'createJob',
    call: 3,
    job: 'job-3',
  });
});

test('a job that nobody has a stream of is cancelled and forgotten after the time of grace', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job', 'r');
  expect(world.pass(29_999)).toEqual([]);
  expect(world.pass(1)).toEqual([
    {
      type: 'finishJob',
      job: 'job',
      ending: { state: 'cancelled', reason: 'no client was connected to it for 30 s' },
    },
    { type: 'forgetJob', job: 'job' },
  ]);
  expect(world.request(2, 'again', 'r')).toContainEqual({ type: 'createJob', call: 2, job: 'again' });
});

test('a client that comes back within the time of grace starts it anew', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job');
  world.pass(20_000);
  world.read(2);
  world.pass(60_000);
  world.do({ type: 'readerClosed', call: 2 });
  expect(world.pass(29_999)).toEqual([]);
  expect(world.pass(1)).toContainEqual({ type: 'forgetJob', job: 'job' });
});

test('a client that fell silent is waited for longer than one that is gone', () => {
  const world = new CoordinatorWorld({ silentGraceMs: 60_000 });
  for (const [call, job] of [
    [1, 'silent'],
    [2, 'gone'],
    [3, 'left'],
    [4, 'back'],
  ] as const) {
    world.request(call, job);
    world.read(10 + call, 0, '', job);
    world.write(20 + call, 0, job);
  }
  const close = (call: number, connection?: string): void => {
    world.do({ type: 'readerClosed', call: 10 + call, connection });
    world.do({ type: 'writerClosed', call: 20 + call, orderly: false, connection });
  };
  close(1, 'a:1');
  close(2);
  close(3, 'b:2');
  close(4, 'a:1');
  // It had the streams of two jobs; the client of the third has ended its streams and is there still.
  world.do({ type: 'connectionGivenUp', connection: 'a:1' });
  world.pass(29_999);
  expect(forgotten(world.pass(1))).toEqual(['gone', 'left']);
  world.read(30, 0, '', 'back');
  world.pass(29_999);
  expect(forgotten(world.pass(1))).toEqual(['silent']);
  expect(world.machine.job('back')).toBeDefined();
  world.do({ type: 'readerClosed', call: 30 });
  world.pass(29_999);
  expect(forgotten(world.pass(1))).toEqual(['back']);
});

test('a client whose input ended as it fell silent, after its other stream, is waited for as long', () => {
  const world = new CoordinatorWorld({ silentGraceMs: 60_000 });
  world.request(1, 'job');
  world.read(2);
  world.write(3, 0, 'job');
  world.do({ type: 'readerClosed', call: 2, connection: 'a:1' });
  world.do({ type: 'writerClosed', call: 3, orderly: true });
  world.do({ type: 'connectionGivenUp', connection: 'a:1' });
  expect(forgotten(world.pass(59_999))).toEqual([]);
  expect(forgotten(world.pass(1))).toEqual(['job']);
});

test('the time that the coordinator stood still is nobody’s absence', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job');
  world.nowMs = 40_000;
  world.do({ type: 'stallObserved', stalledMs: 40_000 });
  expect(world.pass(29_999)).toEqual([]);
  expect(world.pass(1)).toContainEqual({ type: 'forgetJob', job: 'job' });
});

test('a job is known until its client has been gone for the time of grace, though it has ended', () => {
  const world = running();
  world.push(11, 0, 1);
  world.endInput(11, 1);
  world.do({ type: 'cancelReceived', call: 2, job: 'job', reason: 'enough' });
  world.do({ type: 'readerClosed', call: 12 });
  world.pass(29_999);
  expect(world.read(13)).toEqual([
    { type: 'bindReader', call: 13, job: 'job', fromPosition: 0 },
    { type: 'endReader', call: 13, job: 'job' },
  ]);
  world.do({ type: 'readerClosed', call: 13 });
  expect(world.pass(30_000)).toEqual([{ type: 'forgetJob', job: 'job' }]);
});

test('whoever asks for a job that was given up for want of a client is told so; the latest of them are known', () => {
  const world = new CoordinatorWorld({ maxJobs: 10_000 });
  world.request(1, 'first');
  world.nowMs = 30_000;
  world.do({ type: 'clockTicked' });
  const reason = 'no client was connected to it for 30 s';
  const refusalOf = (job: string): unknown => world.only('refuse', readerOf(job))[0]?.refusal;
  const readerOf = (job: string) =>
    ({ type: 'readerOpened', call: 9, job, session: '', fromPosition: 0 }) as const;
  expect(refusalOf('first')).toEqual({ code: 'JOB_NOT_FOUND', job: 'first', reason });
  expect(refusalOf('none')).toEqual({ code: 'JOB_NOT_FOUND', job: 'none' });
  for (let job = 0; job < 1_000; job += 1) world.request(2, `job-${job}`);
  world.nowMs = 60_000;
  world.do({ type: 'clockTicked' });
  expect(refusalOf('job-0')).toMatchObject({ reason });
  expect(refusalOf('first')).toEqual({ code: 'JOB_NOT_FOUND', job: 'first' });
});

test('the job of a Map call ends with it, and is forgotten at once', () => {
  const world = running();
  expect(world.do({ type: 'jobReleased', job: 'job', reason: 'its client hung up' })).toEqual([
    { type: 'finishJob', job: 'job', ending: { state: 'cancelled', reason: 'its client hung up' } },
    { type: 'forgetJob', job: 'job' },
  ]);
  expect(world.read(20)).toEqual([
    { type: 'refuse', call: 20, refusal: { code: 'JOB_NOT_FOUND', job: 'job' } },
  ]);
});

test('outcomes are offered to the reader as they are delivered, and the end after the last of them', () => {
  const world = running();
  const commands = world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 });
  expect(world.runAll(commands)).toContainEqual({ type: 'offerOutcomes', call: 12, job: 'job', upTo: 3 });
  expect(world.endInput(11, 3)).toEqual([
    { type: 'endWriter', call: 11, acceptedItems: 3 },
    { type: 'finishJob', job: 'job', ending: { state: 'completed', succeeded: 3, failed: 0 } },
    { type: 'endReader', call: 12, job: 'job' },
  ]);
});

test('a reader that comes back goes on at its own position; until it is acknowledged the same is there again', () => {
  const world = running();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 10, bytes: 10 }));
  world.do({ type: 'readerClosed', call: 12 });
  world.acknowledge(2, 4);
  expect(world.read(13, 4)).toEqual([
    { type: 'bindReader', call: 13, job: 'job', fromPosition: 4 },
    { type: 'offerOutcomes', call: 13, job: 'job', upTo: 10 },
  ]);
  world.do({ type: 'readerClosed', call: 13 });
  expect(world.read(14, 7)).toContainEqual({ type: 'offerOutcomes', call: 14, job: 'job', upTo: 10 });
});

test('what was acknowledged cannot be read again', () => {
  const world = running();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 10, bytes: 10 }));
  world.acknowledge(2, 4);
  expect(world.read(13, 3)).toEqual([
    { type: 'refuse', call: 13, refusal: { code: 'RESULT_ACKNOWLEDGED', cursor: 4, index: 3 } },
  ]);
});

test('a reader that claims more than was delivered is refused', () => {
  const world = running();
  expect(world.read(13, 1)).toEqual([
    {
      type: 'refuse',
      call: 13,
      refusal: {
        code: 'REQUEST_INVALID',
        field: 'from_position',
        reason: 'is 1, but 0 outcomes were delivered',
      },
    },
  ]);
});

test('only what a reader was offered can be acknowledged', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job');
  world.write(11);
  world.agent();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 }));
  expect(world.acknowledge(2, 1)).toMatchObject([{ type: 'refuse', refusal: { code: 'REQUEST_INVALID' } }]);
  world.read(12);
  expect(world.acknowledge(3, 4)).toMatchObject([{ type: 'refuse', refusal: { code: 'REQUEST_INVALID' } }]);
  expect(world.acknowledge(4, 3)).toEqual([{ type: 'answer', call: 4 }]);
});

test('an acknowledgement that comes twice, or late, changes nothing and is answered', () => {
  const world = running();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 10, bytes: 10 }));
  world.acknowledge(2, 6);
  expect(world.acknowledge(3, 6)).toEqual([{ type: 'answer', call: 3 }]);
  expect(world.acknowledge(4, 2)).toEqual([{ type: 'answer', call: 4 }]);
  expect(world.machine.job('job')?.acknowledged).toBe(6);
});

test('results go only to the session that is bound: one that was replaced gets nothing more', () => {
  const world = running();
  expect(world.read(20, 0, 'second')).toEqual([
    {
      type: 'refuse',
      call: 12,
      refusal: { code: 'STREAM_REPLACED', what: 'ReadResults', job: 'job' },
    },
    { type: 'bindReader', call: 20, job: 'job', fromPosition: 0 },
  ]);
  const commands = world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 });
  const offers = world.runAll(commands).filter(({ type }) => type === 'offerOutcomes');
  expect(offers.at(-1)).toEqual({ type: 'offerOutcomes', call: 20, job: 'job', upTo: 3 });
  expect(offers).not.toContainEqual(expect.objectContaining({ call: 12 }));
});

test('a stream that comes late, after a newer one of its session, is refused and takes nobody’s place', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job');
  const replaced = (call: number, what: string) => ({
    type: 'refuse',
    call,
    refusal: { code: 'STREAM_REPLACED', what, job: 'job' },
  });
  world.read(12, 0, 's', 'job', 3);
  world.write(13, 0, 'job', 's', 4);
  expect(world.read(20, 0, 's', 'job', 1)).toEqual([replaced(20, 'ReadResults')]);
  expect(world.write(21, 0, 'job', 's', 2)).toEqual([replaced(21, 'PushItems')]);
  expect(world.machine.job('job')).toMatchObject({ reader: 12, writer: 13 });
  // Also while nothing is bound: the newer one may have broken since, and a still newer one is to come.
  world.do({ type: 'readerClosed', call: 12 });
  expect(world.read(22, 0, 's', 'job', 1)).toEqual([replaced(22, 'ReadResults')]);
  expect(world.read(23, 0, 's', 'job', 5)).toContainEqual(expect.objectContaining({ type: 'bindReader' }));
  // Another client, or one that does not count its streams, takes over whenever it comes.
  expect(world.read(24, 0, 'other', 'job', 1)).toContainEqual(replaced(23, 'ReadResults'));
  expect(world.read(25, 0, 'other', 'job')).toContainEqual(replaced(24, 'ReadResults'));
});

test('the late acknowledgement of a session that was replaced is refused, and its loss costs the new one nothing', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job');
  world.write(11);
  world.read(12, 0, 'first');
  world.agent();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 }));
  world.read(20, 0, 'second');
  expect(world.acknowledge(2, 3, 'first')).toMatchObject([{ refusal: { code: 'STREAM_REPLACED' } }]);
  world.do({ type: 'readerClosed', call: 12 });
  expect(world.machine.job('job')).toMatchObject({ acknowledged: 0, reader: 20 });
});

test('what was delivered and not taken when the job ended can be acknowledged still', () => {
  const world = running();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 }));
  world.endInput(11, 3);
  const event = { type: 'acknowledgementReceived', call: 2, job: 'job', session: '', position: 3 } as const;
  expect(world.all(event)).toEqual([
    { type: 'releaseResults', job: 'job', position: 3 },
    { type: 'answer', call: 2 },
  ]);
});

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

test('a producer is held by the number of its items at the limit, not at one fewer, and by none once one was taken (edges of windowItems)', () => {
  const world = running({ windowItems: 10 });
  const block = { type: 'blockReceived', call: 11 } as const;
  const first = world.all({ ...block, first: 0, count: 9, bytes: 9 });
  expect(world.machine.heldBy('job')).toBeUndefined();
  const last = world.all({ ...block, first: 9, count: 1, bytes: 1 });
  expect(world.machine.heldBy('job')).toBe('windowItems');
  expect(world.push(11, 10, 1)).toEqual([{ type: 'holdBlock', call: 11, job: 'job' }]);
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
])('a producer that has sent %i of 1,000 bytes is held by %s (edges of windowBytes)', (bytes, holds) => {
  const world = running({ windowBytes: 1_000, windowItems: 100 });
  world.all({ type: 'blockReceived', call: 11, first: 0, count: 1, bytes });
  expect(world.machine.heldBy('job')).toBe(holds);
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

test('an agent that comes back takes its name and its attempts with it', () => {
  const world = running();
  const dispatches = world.only('dispatch', {
    type: 'blockReceived',
    call: 11,
    first: 0,
    count: 5,
    bytes: 5,
  });
  const attempt = dispatches[0]?.attempt ?? 0;
  world.do({ type: 'sessionClosed', session: 1, orderly: false });
  const join = { agent: 'a', slots: 1, labels: {}, instance: 'i' } as const;
  const held = [
    { attempt, job: 'job', epoch: 7 },
    { attempt: 99, job: 'gone', epoch: 6 },
  ];
  expect(world.only('admitAgent', { type: 'joinReceived', session: 2, held, ...join })).toEqual([
    { type: 'admitAgent', session: 2, keep: [{ attempt, job: 'job' }], drop: [] },
  ]);
});

test('an agent is told with its admission what it holds in vain', () => {
  const world = running();
  const join = { agent: 'b', slots: 1, labels: {}, instance: 'i' } as const;
  const held = [{ attempt: 99, job: 'gone', epoch: 7 }];
  expect(world.only('admitAgent', { type: 'joinReceived', session: 2, held, ...join })).toEqual([
    { type: 'admitAgent', session: 2, keep: [], drop: [99] },
  ]);
});

test('a stranger under the name of a living agent is refused, and does not pass for it afterwards', () => {
  const world = running();
  const stranger = { agent: 'a', slots: 1, labels: {}, instance: 'other', held: [] } as const;
  expect(world.all({ type: 'joinReceived', session: 2, ...stranger })).toEqual([
    { type: 'refuseAgent', session: 2 },
  ]);
  expect(world.agent(3)).toContainEqual({ type: 'admitAgent', session: 3, keep: [], drop: [] });
});

test('a heartbeat is answered with what is to be dropped, in the session that lasts and in no other', () => {
  const world = running();
  expect(
    world.all({ type: 'heartbeatListed', session: 1, sequence: 5, held: [42], stalledForMs: 0 }),
  ).toEqual([{ type: 'answerHeartbeat', session: 1, sequence: 5, drop: [42] }]);
  world.do({ type: 'sessionClosed', session: 1, orderly: false });
  expect(world.all({ type: 'heartbeatListed', session: 1, sequence: 6, held: [], stalledForMs: 0 })).toEqual(
    [],
  );
});

test('names of agents that never come back are forgotten', () => {
  const world = new CoordinatorWorld();
  for (let life = 1; life <= 50; life += 1) {
    world.agent(life, 1, `agent-${life}`);
    world.do({ type: 'sessionClosed', session: life, orderly: false });
    world.pass(60_000);
  }
  expect(world.machine.snapshot().namesKnown).toBeLessThan(5);
});

test('an agent that beats but takes nothing from its streams for a lease loses its session', () => {
  const world = running();
  const beat = { type: 'heartbeatListed', session: 1, held: [] } as const;
  expect(world.all({ ...beat, sequence: 1, stalledForMs: 10_000 })).toMatchObject([
    { type: 'answerHeartbeat' },
  ]);
  expect(world.all({ ...beat, sequence: 2, stalledForMs: 10_001 })).toEqual([
    { type: 'endSession', session: 1, reason: 'silent' },
  ]);
  expect(world.all({ ...beat, sequence: 3, stalledForMs: 12_000 })).toEqual([]);
});

/** A job of one item from its request to its end. Its reader (`call` 2) and its writer are gone, nothing is acknowledged. */
function oneItemJob(
  world: CoordinatorWorld,
  job = 'job',
  requestId = '',
): ReturnType<CoordinatorWorld['all']> {
  world.request(1, job, requestId, 'f', {}, 40);
  world.read(2, 0, 'client', job);
  world.write(3, 0, job);
  const commands = world.runAll(world.all({ type: 'blockReceived', call: 3, first: 0, count: 1, bytes: 1 }));
  commands.push(...world.endInput(3, 1));
  for (const call of [2, 3]) commands.push(...world.do({ type: 'readerClosed', call }));
  commands.push(...world.do({ type: 'writerClosed', call: 3, orderly: true }));
  return commands;
}

test('of a job that has ended nothing but its end is kept once its client has it all and is gone', () => {
  const world = new CoordinatorWorld({ maxRequestBytes: 50 });
  world.agent();
  const commands = oneItemJob(world, 'job', 'r');
  expect(commands).toContainEqual({ type: 'endReader', call: 2, job: 'job' });
  expect(commands.map(({ type }) => type)).not.toContain('emptyJob');
  expect(world.acknowledge(4, 1, 'client')).toContainEqual({ type: 'emptyJob', job: 'job' });
  // Whoever asks again is told so again: the answer may have been lost.
  expect(world.request(5, 'other', 'r')).toEqual([{ type: 'answerCreate', call: 5, job: 'job' }]);
  expect(world.request(5, 'other', 'r', 'another')).toMatchObject([{ refusal: { code: 'JOB_EXISTS' } }]);
  expect(world.acknowledge(6, 1, 'client')).toEqual([{ type: 'answer', call: 6 }]);
  expect(world.read(7, 1, 'client')).toEqual([
    { type: 'bindReader', call: 7, job: 'job', fromPosition: 1 },
    { type: 'endReader', call: 7, job: 'job' },
  ]);
  expect(world.do({ type: 'readerClosed', call: 7 })).toEqual([]);
  // Its request takes no room any more.
  expect(world.request(8, 'next', '', 'f', {}, 41).map(({ type }) => type)).toContain('createJob');
  expect(world.pass(30_000)).toContainEqual({ type: 'forgetJob', job: 'job' });
});

test.each(['whose end nobody was told', 'of which an outcome is not taken', 'that is being read'])(
  'a job %s is kept as it is',
  (what) => {
    const world = new CoordinatorWorld();
    world.agent();
    if (what === 'that is being read') {
      world.request(1, 'job');
      world.read(2);
      world.do({ type: 'cancelReceived', call: 3, job: 'job', reason: 'enough' });
    } else if (what === 'whose end nobody was told') {
      world.request(1, 'job');
      world.do({ type: 'cancelReceived', call: 3, job: 'job', reason: 'enough' });
    } else oneItemJob(world);
    expect(world.machine.job('job')?.ending).toBeDefined();
    expect(world.pass(29_999)).toEqual([]);
  },
);

test('jobs that were taken to their end do not count as jobs, and the latest of them are known', () => {
  const world = new CoordinatorWorld({ maxJobs: 1, endedJobsMax: 3 });
  world.agent();
  for (let job = 0; job <= 3; job += 1) {
    oneItemJob(world, `job-${job}`);
    world.acknowledge(4, 1, 'client', `job-${job}`);
  }
  expect(world.machine.job('job-0')).toBeUndefined();
  expect(world.machine.job('job-1')?.ending).toMatchObject({ state: 'completed' });
  expect(world.machine.snapshot().jobs).toHaveLength(3);
});

test('one of them that is still asked for keeps none of the others', () => {
  const world = new CoordinatorWorld({ endedJobsMax: 2 });
  world.agent();
  const take = (job: string): readonly CoordinatorCommand[] => {
    oneItemJob(world, job);
    return world.acknowledge(4, 1, 'client', job);
  };
  take('first');
  world.read(70, 1, 'client', 'first');
  take('second');
  expect(forgotten(take('third'))).toEqual(['second']);
  expect(forgotten(take('fourth'))).toEqual(['third']);
  world.do({ type: 'readerClosed', call: 70 });
  expect(forgotten(take('fifth'))).toEqual(['first']);
});

const forgotten = (commands: readonly CoordinatorCommand[]): string[] =>
  commands.flatMap((command) => (command.type === 'forgetJob' ? [command.job] : []));
