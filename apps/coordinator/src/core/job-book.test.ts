/** Which jobs there are: from their requests until nothing of them is known. */
import { expect, test } from 'vitest';
import type { CoordinatorCommand } from './coordinator-command.ts';
import { CoordinatorWorld, forgotten, running } from './coordinator-machine.testkit.ts';

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
