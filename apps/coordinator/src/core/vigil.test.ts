/** How long a job waits for clients that are gone, or silent. */
import { expect, test } from 'vitest';
import { CoordinatorWorld, forgotten, running } from './coordinator-machine.testkit.ts';

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
