import { expect, test } from 'vitest';
import { kinds, notes, only, TestAgent } from './agent-machine.testkit.ts';

/** One that runs attempt 4 of two that it was given, with a lost answer to each heartbeat from now on. */
function busyAgent(): TestAgent {
  const agent = TestAgent.joined();
  agent.announce();
  agent.dispatch(4);
  return agent;
}

test('G17: without an answer for 8 s an agent starts nothing new; what runs goes on', () => {
  const agent = busyAgent();
  expect(only(agent.after(7_999), 'holdStarts')).toEqual([]);
  const fenced = agent.after(1);
  expect(fenced).toContainEqual({ type: 'holdStarts' });
  expect(notes(fenced)).toEqual([{ what: 'fenced', silentForMs: 8_000 }]);
  expect(kinds(agent.dispatch(5))).toEqual([]);
  expect(agent.snapshot.attempts).toMatchObject([{ state: 'running' }, { state: 'waiting' }]);
});

test('an answer opens the fence, and what waited behind it starts', () => {
  const agent = busyAgent();
  agent.after(8_000);
  agent.dispatch(5);
  const opened = agent.answered(5);
  expect(kinds(opened)).toEqual(['allowStarts', 'startChunk']);
  expect(only(opened, 'startChunk')).toMatchObject([{ attempt: 5 }]);
});

test('attempts that the answer names do not start when the fence opens', () => {
  const agent = busyAgent();
  agent.after(8_000);
  agent.dispatch(5);
  const opened = agent.answered(5, [5]);
  expect(only(opened, 'startChunk')).toEqual([]);
  expect(only(opened, 'keepNews')).toMatchObject([{ attempt: 5, content: 'returned' }]);
});

test('behind the fence no results are sent: the attempts may be others’ by now', () => {
  const agent = busyAgent();
  agent.after(8_000);
  agent.values(1);
  agent.ended(1);
  expect(only(agent.commands, 'requestSend')).toEqual([]);
  expect(kinds(agent.answered(5))).toEqual(['allowStarts', 'requestSend']);
});

test('room that was promised before the fence closed is not used behind it', () => {
  const agent = busyAgent();
  agent.values(1);
  agent.after(8_000);
  expect(agent.granted()).toEqual([]);
});

test('a process that stood still fences itself first, whatever it hears first', () => {
  const agent = busyAgent();
  agent.jump(15_000);
  expect(kinds(agent.dispatch(5))).toEqual(['holdStarts', 'sendHeartbeat']);
});

test('an answer that waited for as long as the process stood still opens nothing', () => {
  const agent = busyAgent();
  agent.after(2_000);
  agent.jump(15_000);
  expect(kinds(agent.answered(2))).toEqual(['holdStarts', 'sendHeartbeat']);
  agent.after(10);
  expect(kinds(agent.answered(3))).toEqual(['allowStarts']);
});

test('late results of a process that stood still wait for a fresh answer, and those taken back are not sent', () => {
  const agent = busyAgent();
  agent.jump(15_000);
  agent.values(1);
  agent.ended(1);
  const answered = agent.answered(2, [4]);
  expect(only(answered, 'dropNews')).toHaveLength(1);
  const [batch] = only(agent.granted(), 'sendBatch');
  expect(batch).toMatchObject({ pieces: [{ attempt: 4, fromByte: 0, toByte: 0 }] });
});

test('a clock that goes back stands still', () => {
  const agent = busyAgent();
  agent.after(7_000);
  agent.jump(-5_000);
  agent.dispatch(5);
  expect(agent.snapshot.silentForMs).toBe(7_000);
  agent.jump(5_000);
  expect(only(agent.after(1_000), 'holdStarts')).toHaveLength(1);
});

test('G17: after 60 s without an answer its children are stopped, and nothing of them is ever reported', () => {
  const agent = busyAgent();
  agent.values(1);
  expect(only(agent.after(59_999), 'abortChunk')).toEqual([]);
  const abandoned = agent.after(1);
  expect(only(abandoned, 'abortChunk', 'dropNews')).toEqual([
    { type: 'abortChunk', chunk: 1, graceMs: 2_000 },
    { type: 'dropNews', entries: [1] },
  ]);
  expect(notes(abandoned)).toContainEqual({ what: 'abandoned', attempts: 1, silentForMs: 60_000 });
  expect(kinds(agent.ended(1))).toEqual([]);
  expect(agent.snapshot).toMatchObject({ attempts: [], outbox: { entries: 0, bytes: 0 } });
});

test('what was abandoned is not listed, and not started when it comes again', () => {
  const agent = busyAgent();
  agent.after(60_000);
  // The join that was under way then still listed it; the heartbeat after it would not.
  agent.lost();
  while (agent.snapshot.state !== 'joining') agent.after(100);
  expect(only(agent.commands, 'join').at(-1)).toMatchObject({ held: [] });
  agent.join({ session: 2 });
  agent.announce();
  expect(agent.dispatch(4)).toEqual([{ type: 'note', note: { what: 'dispatchIgnored', attempt: 4 } }]);
});

test('a minute of standing still ends the session and stops the children at once', () => {
  const agent = busyAgent();
  agent.jump(61_000);
  const woken = kinds(agent.step({ type: 'clockTicked' }));
  expect(woken.slice(0, 2)).toEqual(['holdStarts', 'closeLink']);
  expect(woken).toContain('abortChunk');
});

test('a join that took longer than the fence opens nothing; the first heartbeat does', () => {
  const agent = busyAgent();
  agent.lost();
  agent.after(250);
  agent.after(12_000);
  expect(agent.snapshot.isFenced).toBe(true);
  expect(only(agent.join({ session: 2 }), 'allowStarts')).toEqual([]);
  expect(kinds(agent.answered(1))).toContain('allowStarts');
});

test('in a big cluster the fence keeps its place between heartbeat and lease', () => {
  const agent = new TestAgent();
  agent.step({ type: 'started' });
  agent.join({ heartbeatMs: 10_000, leaseMs: 50_000 });
  agent.announce();
  expect(only(agent.after(39_999), 'holdStarts')).toEqual([]);
  expect(only(agent.after(1), 'holdStarts')).toHaveLength(1);
});
