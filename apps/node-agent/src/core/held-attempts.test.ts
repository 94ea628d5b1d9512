import { expect, test } from 'vitest';
import { kinds, only, TestAgent } from './agent-machine.testkit.ts';

const startOf = (chunk: number, attempt: number) => ({ type: 'startChunk', chunk, attempt });

function agentWithJob(): TestAgent {
  const agent = TestAgent.joined();
  agent.announce();
  return agent;
}

test('an attempt of a job that is ready starts at once', () => {
  expect(agentWithJob().dispatch(4, { marksStarts: true, tryNumber: 3, groupSlots: 2 })).toEqual([
    { type: 'keepWork', attempt: 4, setup: 1, job: 'job-1', first: 40, count: 10 },
    {
      type: 'startChunk',
      chunk: 1,
      attempt: 4,
      setup: 1,
      job: 'job-1',
      first: 40,
      count: 10,
      marksStarts: true,
      tryNumber: 3,
      groupSlots: 2,
      order: 4,
    },
  ]);
});

test('what an attempt says of its group counts for more than the words of an earlier epoch, under whatever number', () => {
  const agent = agentWithJob();
  const [before] = only(agent.dispatch(40), 'startChunk');
  agent.lost();
  agent.after(250);
  agent.join({ epoch: 2 });
  agent.announce();
  const [after] = only(agent.dispatch(3), 'startChunk');
  expect([before, after]).toMatchObject([{ order: 40 }, { order: 43 }]);
});

test('G13: an attempt that comes again is not started again, running, reported or over', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  expect(kinds(agent.dispatch(4))).toEqual([]);
  agent.ended(1);
  expect(kinds(agent.dispatch(4))).toEqual([]);
  agent.granted();
  agent.taken(1);
  expect(agent.snapshot.attempts).toEqual([]);
  expect(kinds(agent.dispatch(4))).toEqual([]);
});

test('G14: attempts that come in another order all start', () => {
  const agent = agentWithJob();
  const started = [7, 4, 5].flatMap((attempt) => agent.dispatch(attempt));
  expect(only(started, 'startChunk')).toMatchObject([startOf(1, 7), startOf(2, 4), startOf(3, 5)]);
});

test('a revoke stops an attempt; its end is reported, for then its slot is free, and nothing else', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  agent.values(1);
  expect(agent.revoke(4)).toEqual([
    { type: 'dropNews', entries: [1] },
    { type: 'abortChunk', chunk: 1, graceMs: 2_000 },
  ]);
  expect(kinds(agent.values(1))).toEqual([]);
  expect(only(agent.ended(1), 'keepNews')).toEqual([
    { type: 'keepNews', entry: 2, attempt: 4, content: 'returned' },
  ]);
});

test('of an attempt that is recalled what runs is reported, and how it ends as its child says', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  expect(agent.recall(4)).toEqual([{ type: 'recallChunk', chunk: 1 }]);
  expect(only(agent.values(1), 'keepNews')).toMatchObject([{ attempt: 4, content: 'inHand' }]);
  expect(only(agent.ended(1), 'keepNews')).toMatchObject([{ attempt: 4, content: 'inHand' }]);
  expect(kinds(agent.recall(4))).toEqual([]);
});

test('an attempt that is recalled before it was started goes back; one that has not come is left alone', () => {
  const agent = TestAgent.joined();
  agent.step({ type: 'jobAnnounced', link: agent.link, job: 'job-1' });
  agent.dispatch(4);
  expect(only(agent.recall(4), 'keepNews')).toMatchObject([{ attempt: 4, content: 'returned' }]);
  expect(kinds(agent.recall(4))).toEqual([]);
  expect(kinds(agent.recall(5))).toEqual([]);
  expect(only(agent.dispatch(5), 'keepWork')).toHaveLength(1);
});

test('a revoke that comes twice stops once', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  agent.revoke(4);
  expect(agent.revoke(4)).toEqual([]);
});

test('G14: a revoke that overtakes its dispatch gives the attempt back without a start', () => {
  const agent = agentWithJob();
  expect(agent.revoke(4)).toEqual([]);
  const given = agent.dispatch(4);
  expect(only(given, 'startChunk')).toEqual([]);
  expect(only(given, 'keepNews')).toMatchObject([{ attempt: 4, content: 'returned' }]);
});

test('a revoke of what is over does nothing', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  agent.ended(1);
  agent.granted();
  agent.taken(1);
  agent.revoke(4);
  expect(agent.snapshot.remembered.revokedAhead).toBe(0);
});

test('values, failures and the ending are kept as they come', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  agent.values(1, 10);
  agent.step({ type: 'itemFailed', chunk: 1, index: 41, bytes: 20 });
  agent.ended(1);
  expect(only(agent.commands, 'keepNews')).toEqual([
    { type: 'keepNews', entry: 1, attempt: 4, content: 'inHand' },
    { type: 'keepNews', entry: 2, attempt: 4, content: 'inHand' },
    { type: 'keepNews', entry: 3, attempt: 4, content: 'inHand' },
  ]);
});

test('an attempt is held until the coordinator has its ending', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  agent.ended(1);
  agent.granted();
  expect(agent.snapshot.attempts).toMatchObject([{ attempt: 4, state: 'reported' }]);
  expect(agent.taken(1)).toEqual([{ type: 'dropNews', entries: [1] }]);
  expect(agent.snapshot.attempts).toEqual([]);
});

test('a session begins: attempts that are not ours any more stop, the others go on', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  agent.dispatch(5);
  agent.lost();
  agent.after(250);
  expect(only(agent.join({ session: 2, drop: [4] }), 'abortChunk')).toEqual([
    { type: 'abortChunk', chunk: 1, graceMs: 2_000 },
  ]);
  expect(agent.snapshot.attempts).toMatchObject([
    { attempt: 4, isRevoked: true },
    { attempt: 5, isRevoked: false },
  ]);
});

test('G13: a new epoch owns nothing of the one before; equal numbers are other attempts', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  agent.values(1);
  agent.lost();
  agent.after(250);
  const begun = agent.join({ session: 1, epoch: 2 });
  expect(kinds(begun).slice(0, 2)).toEqual(['abortChunk', 'dropNews']);
  expect(only(begun, 'sendHeartbeat')).toMatchObject([{ held: [] }]);
  agent.announce();
  expect(only(agent.dispatch(4), 'startChunk')).toMatchObject([startOf(2, 4)]);
  // The child of the first life of attempt 4 has ended only now.
  expect(kinds(agent.ended(1))).toEqual([]);
  expect(agent.snapshot.attempts).toMatchObject([{ attempt: 4, epoch: 2, state: 'running' }]);
});

test('what an attempt runs on is kept until it starts, or is known not to', () => {
  const agent = TestAgent.joined();
  agent.step({ type: 'jobAnnounced', link: 1, job: 'job-1' });
  const keepWork = { type: 'keepWork', attempt: 4, setup: 1, job: 'job-1', first: 40, count: 10 };
  expect(agent.dispatch(4)).toEqual([keepWork]);
  expect(agent.revoke(4)[0]).toEqual({ type: 'dropWork', attempt: 4, setup: 1 });
});

test('a chunk that the pool refuses for good is the verdict on its job', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  const refused = agent.step({ type: 'chunkRefused', chunk: 1, retryable: false });
  expect(only(refused, 'keepNews')).toEqual([{ type: 'keepNews', entry: 1, attempt: 4, content: 'inHand' }]);
});

test('a chunk that the pool refuses for now goes back after a rest of 1 s', () => {
  const agent = agentWithJob();
  agent.dispatch(4);
  agent.step({ type: 'chunkRefused', chunk: 1, retryable: true });
  expect(only(agent.after(999), 'keepNews')).toEqual([]);
  expect(only(agent.after(1), 'keepNews')).toMatchObject([{ attempt: 4, content: 'returned' }]);
});

test('work on a job that was not announced goes back', () => {
  const agent = TestAgent.joined();
  expect(only(agent.dispatch(4), 'keepNews')).toMatchObject([{ attempt: 4, content: 'returned' }]);
});

test('news of a chunk that nobody knows are no news', () => {
  const agent = agentWithJob();
  expect([agent.values(99), agent.ended(99)].flat()).toEqual([]);
});
