import { expect, test } from 'vitest';
import { defaultLimits } from './agent-limits.ts';
import { kinds, notes, only, TestAgent } from './agent-machine.testkit.ts';
import { Redial } from './redial.ts';

/** The waits after so many failures in a row. */
function waits(failures: number, seed = 1): number[] {
  const redial = new Redial(defaultLimits, seed);
  return Array.from({ length: failures }, () => redial.failed(0));
}

test('each wait is a part of 250 ms, doubled with each failure, and never more than 30 s', () => {
  const bounds = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
  for (let seed = 1; seed <= 200; seed += 1) {
    for (const [at, wait] of waits(10, seed).entries()) {
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(bounds[at] as number);
    }
  }
});

test('200 agents that lose one coordinator at one moment come back all over the wait', () => {
  for (const failures of [1, 4]) {
    const bound = 250 * 2 ** (failures - 1);
    const tenths = new Array<number>(10).fill(0);
    for (let seed = 1; seed <= 200; seed += 1) {
      const wait = waits(failures, seed).at(-1) as number;
      const tenth = Math.min(9, Math.floor((wait / bound) * 10));
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    // 20 each, if chance were even.
    expect(Math.max(...tenths)).toBeLessThan(40);
    expect(Math.min(...tenths)).toBeGreaterThan(5);
  }
});

test('equal seeds wait equally long', () => {
  expect(waits(8, 5)).toEqual(waits(8, 5));
  expect(waits(8, 5)).not.toEqual(waits(8, 6));
});

test('a session makes the next wait short again', () => {
  const agent = new TestAgent();
  agent.step({ type: 'started' });
  for (let failure = 1; failure <= 5; failure += 1) {
    expect(notes(agent.lost('CANNOT_CONNECT'))).toMatchObject([{ failures: failure }]);
    agent.after(250 * 2 ** (failure - 1));
  }
  agent.join();
  expect(notes(agent.lost())).toMatchObject([{ failures: 1 }]);
  expect(kinds(agent.after(250))).toEqual(['dial', 'join']);
});

test.each(['VERSION_MISMATCH', 'REQUEST_INVALID'])('after %s no further try is made', (code) => {
  const agent = new TestAgent();
  agent.step({ type: 'started' });
  expect(agent.lost(code)).toEqual([{ type: 'end', code }]);
  expect(agent.machine.nextDeadlineMs()).toBeUndefined();
});

test('a message of an open session that is invalid ends that session, and not the agent', () => {
  const agent = new TestAgent();
  agent.step({ type: 'started' });
  agent.join();
  expect(notes(agent.lost('REQUEST_INVALID'))).toMatchObject([{ what: 'disconnected', why: 'refused' }]);
  expect(kinds(agent.after(250))).toEqual(['dial', 'join']);
});

test('a name that is taken may be that of an earlier life; after 30 s it is another agent’s', () => {
  const agent = new TestAgent();
  agent.step({ type: 'started' });
  for (;;) {
    const refused = agent.lost('AGENT_NAME_TAKEN');
    if (only(refused, 'end').length > 0) break;
    agent.after((agent.machine.nextDeadlineMs() as number) - agent.atMs);
  }
  expect(agent.atMs).toBeGreaterThan(30_000);
  expect(agent.atMs).toBeLessThan(61_000);
  expect(agent.commands.at(-1)).toEqual({ type: 'end', code: 'AGENT_NAME_TAKEN' });
});

test.each([
  ['AGENT_NAME_TAKEN', 'nameTaken'],
  ['COORDINATOR_STOPPING', 'refused'],
  ['LIMIT_REACHED', 'refused'],
  ['CONNECTION_LOST', 'linkLost'],
  ['CANNOT_CONNECT', 'linkLost'],
])('a link that ended with %s is told as %s', (code, why) => {
  const agent = new TestAgent();
  agent.step({ type: 'started' });
  expect(only(agent.lost(code), 'note')).toMatchObject([{ note: { what: 'disconnected', why } }]);
});
