import { expect, test } from 'vitest';
import type { JobSpec } from '../jobs/job-spec.ts';
import { crash, only, placed, schedulerWith, thrown, type World } from '../scheduler.testkit.ts';

/**
 * Two agents of one slot. Items 0-2 are on `a` as attempt 1, which has said nothing; all others ran on `b` in 10 ms
 * each, and nothing is left to hand out.
 */
function straggling(spec: Partial<JobSpec> = {}, items = 6): { world: World; job: string } {
  const world = schedulerWith({
    agents: { a: 1, b: 1 },
    job: { items, chunkSize: 3, pure: true, ...spec },
  });
  for (let attempt = 2; attempt <= items / 3; attempt += 1) world.finish(attempt, 10);
  return { world, job: 'job-1' };
}

const jobInfo = (world: World, job: string) => {
  const { running, retried, speculated, speculationWins } = world.scheduler.progress(job) ?? {};
  return { running, retried, speculated, speculationWins };
};

test('what runs three times as long as it should, and a second, runs on another agent too once nothing else is left', () => {
  const { world, job } = straggling();
  expect(placed(world.passBeating(750, 'a', 'b'))).toEqual([]);
  expect(placed(world.passBeating(750, 'a', 'b'))).toEqual(['3: items 0-2 on b']);
  expect(jobInfo(world, job)).toEqual({ running: 3, retried: 0, speculated: 3, speculationWins: 0 });
});

test('the first result of an item is its outcome, and the attempt that has none left is taken back', () => {
  const { world, job } = straggling();
  world.passBeating(1_500, 'a', 'b');
  const fromCopy = world.values(3, { first: 0, count: 2 }, 10);
  expect(only(fromCopy, 'keepResults', 'revoke')).toEqual([{ type: 'keepResults', job, first: 0, count: 2 }]);
  // Item 1 again, and item 2 first, from the straggler.
  const fromStraggler = world.values(1, { first: 1, count: 2 }, 10);
  expect(only(fromStraggler, 'keepResults', 'revoke', 'endJob')).toEqual([
    { type: 'keepResults', job, first: 2, count: 1 },
    { type: 'revoke', session: world.session('b'), attempt: 3, reason: 'superseded' },
    {
      type: 'endJob',
      job,
      outcome: { state: 'completed', succeeded: 6, failed: 0 },
      speculation: { speculated: 3, speculationWins: 2 },
    },
  ]);
  const { totals } = world.scheduler.snapshot();
  expect(totals).toMatchObject({ itemsSpeculated: 3, speculationWins: 2, itemsSucceeded: 6 });
});

test('a copy that is first frees the consumer, and the slot of the straggler when its agent says so', () => {
  const { world } = straggling();
  world.passBeating(1_500, 'a', 'b');
  expect(only(world.values(3), 'revoke')).toEqual([
    { type: 'revoke', session: world.session('a'), attempt: 1, reason: 'superseded' },
  ]);
  expect(only(world.ended(3), 'revoke')).toEqual([]);
  expect(world.scheduler.snapshot().agents.map(({ attempts }) => attempts)).toEqual([1, 0]);
  world.ended(1, { kind: 'returned' });
  expect(world.scheduler.snapshot().agents.map(({ attempts }) => attempts)).toEqual([0, 0]);
});

for (const [why, spec] of [
  ['that is not pure', { pure: false }],
  ['whose items run once at most (G5)', { retries: { thrown: 2, timeout: 2, crash: 0, lost: 0 } }],
  ['of which nothing was measured', { chunkSize: 3, items: 3 }],
] as const) {
  test(`nothing of a job ${why} runs twice`, () => {
    const { items = 6, ...rest } = spec as Partial<JobSpec> & { items?: number };
    const { world } = straggling(rest, items);
    expect(placed(world.passBeating(60_000, 'a', 'b'))).toEqual([]);
  });
}

test('nothing runs twice in the way of other work: a copy takes a slot that is free', () => {
  const { world } = straggling({ chunkSize: 3 }, 9);
  world.add(1, { pure: true });
  expect(placed(world.passBeating(5_000, 'a', 'b'))).toEqual([]);
});

test('a slot of the same agent serves where there is no other agent', () => {
  const world = schedulerWith({ agents: { a: 2 }, job: { items: 2, pure: true } });
  world.finish(2, 10);
  expect(placed(world.passBeating(2_000, 'a'))).toEqual(['3: item 0 on a']);
});

test('the cap of a group holds for second attempts, too', () => {
  const group = { id: 'one', processes: 1 };
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 2, pure: true, group } });
  world.finish(1, 10);
  expect(placed(world.passBeating(5_000, 'a', 'b'))).toEqual([]);
});

test('no item gets a third attempt, and none that is a suspect a second one', () => {
  const { world } = straggling();
  world.join('c', 1);
  expect(placed(world.passBeating(10_000, 'a', 'b', 'c'))).toHaveLength(1);
  // The copy is lost with its agent: what it had runs on in the straggler, and is not copied again.
  world.step({ type: 'sessionClosed', session: world.session('b'), orderly: true });
  expect(placed(world.passBeating(60_000, 'a', 'c'))).toEqual([]);

  const alone = schedulerWith({ agents: { a: 1, b: 1, c: 1 }, job: { items: 4, pure: true } });
  alone.finish(1, 10);
  alone.finish(3, 10);
  alone.died(2, { first: 1, count: 1 });
  alone.finish(4, 10);
  expect(alone.scheduler.progress('job-1')).toMatchObject({ running: 1, succeeded: 3 });
  expect(placed(alone.passBeating(60_000, 'a', 'b', 'c'))).toEqual([]);
});

test('every stretch of what is open has a second attempt of its own', () => {
  const { world } = straggling();
  world.join('c', 1);
  world.values(1, { first: 1, count: 1 }, 10);
  expect(placed(world.passBeating(1_500, 'a', 'b', 'c'))).toEqual(['3: item 0 on b', '4: item 2 on c']);
});

test('a death in one attempt is charged, and leaves the item to the other one', () => {
  const { world, job } = straggling();
  world.passBeating(1_500, 'a', 'b');
  expect(only(world.died(1, { first: 0, count: 1 }), 'note', 'dispatch')).toEqual([]);
  expect(jobInfo(world, job)).toMatchObject({ running: 3, retried: 0 });
  // The second death of item 0; with a budget of two it has one try left, alone.
  const retried = world.died(3, { first: 0, count: 1 });
  expect(placed(retried)).toEqual(['4: item 0 on a', '5: items 1-2 on b']);
  expect(only(world.died(4, { first: 0, count: 1 }), 'keepFailure')).toEqual([
    {
      type: 'keepFailure',
      job,
      index: 0,
      failure: { kind: 'crash', attempts: ['a', 'b', 'a'].map((agent) => ({ ...crash.attempt, agent })) },
      withPayload: false,
    },
  ]);
});

test('an item with no tries left fails when neither of its attempts can give a value', () => {
  const retries = { thrown: 0, crash: 0, timeout: 0, lost: 10 };
  const { world, job } = straggling({ retries });
  world.passBeating(1_500, 'a', 'b');
  expect(only(world.died(1, { first: 0, count: 1 }), 'keepFailure')).toEqual([]);
  world.values(3, { first: 1, count: 2 });
  const failed = world.ended(3, { kind: 'returned' });
  expect(only(failed, 'keepFailure', 'endJob')).toMatchObject([
    {
      type: 'keepFailure',
      job,
      index: 0,
      failure: { kind: 'crash', attempts: [{ ...crash.attempt, agent: 'a' }] },
      withPayload: false,
    },
    { type: 'endJob', outcome: { state: 'completed', succeeded: 5, failed: 1 } },
  ]);
});

test('a value saves an item whose other attempt used up its tries', () => {
  const { world } = straggling({ retries: { thrown: 0, crash: 1, timeout: 0, lost: 0 } });
  world.passBeating(1_500, 'a', 'b');
  world.step({ type: 'sessionClosed', session: world.session('a'), orderly: false });
  world.passBeating(5_000, 'b');
  expect(only(world.finish(3), 'endJob')).toMatchObject([
    { outcome: { succeeded: 6, failed: 0 }, speculation: { speculated: 3, speculationWins: 3 } },
  ]);
});

test('that the function threw is an answer: the first one counts', () => {
  const { world, job } = straggling();
  world.passBeating(1_500, 'a', 'b');
  expect(only(world.failed(3, 0, thrown), 'keepFailure')).toMatchObject([{ index: 0 }]);
  expect(only(world.values(1), 'keepResults', 'endJob')).toMatchObject([
    { type: 'keepResults', job, first: 1, count: 2 },
    { type: 'endJob', outcome: { state: 'completed', succeeded: 5, failed: 1 } },
  ]);
});

test('where it may throw again, the other attempt is its next try', () => {
  const { world, job } = straggling({ retries: { thrown: 1, crash: 2, timeout: 0, lost: 10 } });
  world.passBeating(1_500, 'a', 'b');
  expect(only(world.failed(1, 0, thrown), 'keepFailure', 'note')).toEqual([]);
  expect(only(world.failed(3, 0, thrown), 'keepFailure')).toMatchObject([
    { job, index: 0, failure: { attempts: [{ agent: 'a' }, { agent: 'b' }] } },
  ]);
});

test('a copy marks the start of each item, and says that it is the second try', () => {
  const { world } = straggling();
  expect(only(world.passBeating(1_500, 'a', 'b'), 'dispatch')).toMatchObject([
    { marksStarts: true, tryNumber: 2 },
  ]);
});
