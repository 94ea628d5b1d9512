import { expect, test } from 'vitest';
import { kinds, only, TestAgent } from './agent-machine.testkit.ts';

const announced = (agent: TestAgent, job = 'job-1') =>
  agent.step({ type: 'jobAnnounced', link: agent.link, job });
const forgotten = (agent: TestAgent, job = 'job-1') =>
  agent.step({ type: 'jobForgotten', link: agent.link, job });
const failed = (agent: TestAgent, retryable: boolean, setup = 1) =>
  agent.step({ type: 'setupFailed', setup, retryable });

test('what a job needs is fetched when it is announced, before its first work', () => {
  expect(announced(TestAgent.joined())).toEqual([{ type: 'prepareSetup', setup: 1, job: 'job-1' }]);
});

test('work waits for the bundle of its job', () => {
  const agent = TestAgent.joined();
  announced(agent);
  expect(kinds(agent.dispatch(4))).toEqual([]);
  expect(agent.step({ type: 'setupPrepared', setup: 1 })).toMatchObject([
    { type: 'startChunk', attempt: 4, setup: 1 },
  ]);
});

test('work that was taken back while its bundle was on its way does not start', () => {
  const agent = TestAgent.joined();
  announced(agent);
  agent.dispatch(4);
  expect(only(agent.revoke(4), 'keepNews')).toMatchObject([{ attempt: 4, content: 'returned' }]);
  expect(agent.step({ type: 'setupPrepared', setup: 1 })).toEqual([]);
});

test('a bundle that can never be had is the verdict on its job, now and later', () => {
  const agent = TestAgent.joined();
  announced(agent);
  agent.dispatch(4);
  const verdict = { content: 'setupFailure', setup: 1 };
  expect(only(failed(agent, false), 'keepNews')).toMatchObject([{ attempt: 4, ...verdict }]);
  expect(only(agent.dispatch(5), 'keepNews')).toMatchObject([{ attempt: 5, ...verdict }]);
});

test('where there is no room for a bundle its work goes back after a rest, and other jobs are served', () => {
  const agent = TestAgent.joined();
  announced(agent);
  agent.announce('job-2');
  agent.dispatch(4);
  failed(agent, true);
  expect(only(agent.dispatch(5, { job: 'job-2' }), 'startChunk')).toMatchObject([{ attempt: 5 }]);
  expect(only(agent.after(999), 'keepNews')).toEqual([]);
  expect(only(agent.after(1), 'keepNews')).toMatchObject([{ attempt: 4, content: 'returned' }]);
});

test('the next work on that job asks for its bundle again, and starts what rests as well when it comes', () => {
  const agent = TestAgent.joined();
  announced(agent);
  agent.dispatch(4);
  failed(agent, true);
  expect(agent.dispatch(5)).toContainEqual({ type: 'prepareSetup', setup: 1, job: 'job-1' });
  expect(kinds(agent.dispatch(6))).toEqual([]);
  const started = agent.step({ type: 'setupPrepared', setup: 1 });
  expect(started).toMatchObject([{ attempt: 4 }, { attempt: 5 }, { attempt: 6 }]);
  expect(kinds(agent.after(1_000))).toEqual([]);
});

test('a job whose items need another file is prepared again, and what comes then waits for it', () => {
  const agent = TestAgent.joined();
  agent.announce();
  const grown = { type: 'jobGrown', link: 1, job: 'job-1' } as const;
  expect(agent.step(grown)).toEqual([{ type: 'prepareSetup', setup: 1, job: 'job-1' }]);
  expect(agent.step(grown)).toEqual([]);
  expect(kinds(agent.dispatch(4))).toEqual([]);
  expect(kinds(agent.step({ type: 'setupPrepared', setup: 1 }))).toEqual(['startChunk']);
});

test('a setup is let go of once its job is over and no attempt needs it', () => {
  const agent = TestAgent.joined();
  agent.announce();
  agent.dispatch(4);
  expect(forgotten(agent)).toEqual([]);
  agent.ended(1);
  agent.granted();
  expect(agent.taken(1)).toContainEqual({ type: 'releaseSetup', setup: 1 });
  expect(agent.snapshot.setups).toBe(0);
});

test('work of the last session keeps the setup that it was given with', () => {
  const agent = TestAgent.joined();
  announced(agent);
  agent.dispatch(4);
  agent.lost();
  agent.after(250);
  agent.join({ session: 2 });
  expect(announced(agent)).toEqual([{ type: 'prepareSetup', setup: 2, job: 'job-1' }]);
  expect(agent.step({ type: 'setupPrepared', setup: 1 })).toMatchObject([{ attempt: 4, setup: 1 }]);
});

test('what a new session does not announce again is let go of', () => {
  const agent = TestAgent.joined();
  agent.announce();
  agent.lost();
  agent.after(250);
  expect(agent.join({ session: 2 })).toContainEqual({ type: 'releaseSetup', setup: 1 });
  expect(agent.step({ type: 'setupPrepared', setup: 1 })).toEqual([]);
});
