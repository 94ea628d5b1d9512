import { expect, test } from 'vitest';
import type { AgentCommand } from './agent-command.ts';
import { kinds, notes, only, TestAgent } from './agent-machine.testkit.ts';

const stop = (agent: TestAgent, drain = true): AgentCommand[] => agent.step({ type: 'stopRequested', drain });

/** One that runs attempt 4 as chunk 1. */
function busyAgent(): TestAgent {
  const agent = TestAgent.joined();
  agent.announce();
  agent.dispatch(4);
  return agent;
}

/** Heartbeats are answered at once while time passes. */
function alive(agent: TestAgent, ms: number): AgentCommand[] {
  const untilMs = agent.atMs + ms;
  const commands: AgentCommand[] = [];
  while (agent.atMs < untilMs) {
    commands.push(...agent.after(Math.min(1_000, untilMs - agent.atMs)));
    const beat = only(agent.commands, 'sendHeartbeat').at(-1);
    if (beat?.type === 'sendHeartbeat') commands.push(...agent.answered(beat.sequence));
  }
  return commands;
}

test('G27: an agent that drains finishes what runs, waits until it was taken, says good-bye and ends', () => {
  const agent = busyAgent();
  expect(kinds(stop(agent))).toEqual(['announceDrain']);
  alive(agent, 10_000);
  agent.values(1);
  agent.ended(1);
  agent.granted();
  expect(kinds(agent.taken(1))).toEqual(['dropNews', 'finishData']);
  const finished = agent.step({ type: 'dataFinished', link: 1 });
  expect(finished).toEqual([{ type: 'leave', link: 1 }]);
  expect(kinds(agent.lost())).toEqual(['releaseSetup', 'end']);
  expect(agent.machine.nextDeadlineMs()).toBeUndefined();
});

test('an idle agent leaves at once', () => {
  expect(kinds(stop(TestAgent.joined()))).toEqual(['announceDrain', 'finishData']);
});

test('G27: nothing new is started while it drains: it goes back', () => {
  const agent = busyAgent();
  stop(agent);
  const given = agent.dispatch(5);
  expect(only(given, 'startChunk')).toEqual([]);
  expect(only(given, 'keepNews')).toMatchObject([{ attempt: 5, content: 'returned' }]);
});

test('what still waits for its bundle goes back at once', () => {
  const agent = TestAgent.joined();
  agent.step({ type: 'jobAnnounced', link: 1, job: 'job-1' });
  agent.dispatch(4);
  expect(only(stop(agent), 'keepNews')).toMatchObject([{ attempt: 4, content: 'returned' }]);
  expect(agent.step({ type: 'setupPrepared', setup: 1 })).toEqual([]);
});

test('G27: what takes longer than 30 s goes back, and is waited for to be heard of', () => {
  const agent = busyAgent();
  stop(agent);
  expect(only(alive(agent, 29_999), 'abortChunk')).toEqual([]);
  const late = alive(agent, 1);
  expect(only(late, 'abortChunk')).toEqual([{ type: 'abortChunk', chunk: 1, graceMs: 0 }]);
  expect(notes(late)).toContainEqual({ what: 'givenBack', attempts: 1 });
  agent.ended(1);
  agent.granted();
  expect(kinds(agent.taken(1))).toContain('finishData');
});

test('whoever is not heard leaves all the same', () => {
  const agent = busyAgent();
  stop(agent);
  expect(only(alive(agent, 34_999), 'finishData')).toEqual([]);
  expect(only(alive(agent, 1), 'finishData')).toHaveLength(1);
  expect(kinds(alive(agent, 5_000))).toContain('end');
  expect(agent.atMs).toBe(40_000);
});

test('no good-bye is said while something that has begun was not reported: it counts as lost', () => {
  const agent = busyAgent();
  stop(agent);
  alive(agent, 35_000);
  const commands = kinds(agent.step({ type: 'dataFinished', link: 1 }));
  expect(commands).toContain('end');
  expect(commands).not.toContain('leave');
});

test('what comes while it leaves has not begun, and does not keep it from saying good-bye', () => {
  const agent = TestAgent.joined();
  expect(kinds(stop(agent))).toContain('finishData');
  agent.dispatch(9);
  expect(kinds(agent.step({ type: 'dataFinished', link: 1 }))).toContain('leave');
});

test('the second time it ends now', () => {
  const agent = busyAgent();
  stop(agent);
  const commands = stop(agent);
  expect(kinds(commands)).toEqual(['closeLink', 'abortChunk', 'releaseSetup', 'end']);
  expect(agent.snapshot).toMatchObject({ departure: 'gone', attempts: [], setups: 0 });
});

test('asked not to drain, it ends now', () => {
  expect(kinds(stop(busyAgent(), false)).at(-1)).toBe('end');
});

test('an agent that holds nothing and has no session ends at once', () => {
  const agent = new TestAgent();
  agent.step({ type: 'started' });
  expect(kinds(stop(agent))).toEqual(['closeLink', 'end']);
});

test('a link that breaks while it drains is dialled again: what finishes is never rerun', () => {
  const agent = busyAgent();
  stop(agent);
  agent.values(1);
  agent.ended(1);
  agent.lost();
  expect(kinds(agent.after(250))).toEqual(['dial', 'join']);
  const rejoined = kinds(agent.join({ session: 2 }));
  expect(rejoined).toEqual(['openData', 'announceDrain', 'sendHeartbeat', 'requestSend']);
  expect(only(agent.granted(), 'sendBatch')).toMatchObject([{ pieces: [{ attempt: 4 }, { attempt: 4 }] }]);
});

test('without a session for 3 s while it drains it ends: its attempts are others’ by then', () => {
  const agent = busyAgent();
  stop(agent);
  agent.lost();
  expect(only(agent.after(2_999), 'end')).toEqual([]);
  expect(only(agent.after(1), 'end')).toEqual([{ type: 'end', code: undefined }]);
});

test('prints that wait are sent before the good-bye', () => {
  const agent = TestAgent.joined();
  agent.step({ type: 'printsArrived' });
  expect(only(stop(agent), 'finishData')).toEqual([]);
  expect(kinds(agent.granted())).toEqual(['sendBatch', 'finishData']);
});

test('nothing that happens after the end does anything', () => {
  const agent = busyAgent();
  stop(agent, false);
  expect([agent.ended(1), agent.after(100_000), stop(agent)].flat()).toEqual([]);
});
