import { expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import type { AgentCommand } from './agent-command.ts';
import { kinds, only, TestAgent } from './agent-machine.testkit.ts';

/** Small messages and a small outbox; attempts 3 and 4 run as chunks 1 and 2. Each piece of news weighs 64 more. */
function sender(messageBytes = 400, outboxBytes = 4_000): TestAgent {
  const agent = TestAgent.joined({ messageBytes, outboxBytes });
  agent.announce();
  agent.dispatch(3);
  agent.dispatch(4);
  return agent;
}

/** Batches in a few words: `#1: 5 6…` is the first batch, with entry 5 whole and a part of 6 that goes on. */
function inWords(commands: readonly AgentCommand[]): string[] {
  return commands.flatMap((command) => {
    if (command.type !== 'sendBatch') return [];
    const pieces = command.pieces.map(({ entry, more }) => `${entry}${more ? '…' : ''}`);
    return [`#${command.sequence}: ${pieces.join(' ')}`];
  });
}

function rejoin(agent: TestAgent, drop: number[] = []): AgentCommand[] {
  agent.lost();
  agent.after(250);
  return agent.join({ session: 2, drop });
}

test('news wait for room in the stream, and share a message', () => {
  const agent = sender();
  expect(kinds(agent.values(1, 10))).toEqual(['keepNews', 'requestSend']);
  expect(kinds(agent.values(2, 10))).toEqual(['keepNews']);
  expect(inWords(agent.granted())).toEqual(['#1: 1 2']);
  expect(agent.granted()).toEqual([]);
});

test('a message holds about what it should, and the rest waits for room again', () => {
  const agent = sender(400);
  for (let at = 0; at < 3; at += 1) agent.values(1, 130);
  expect(agent.granted()).toEqual([
    {
      type: 'sendBatch',
      link: 1,
      sequence: 1,
      pieces: [
        { entry: 1, attempt: 3, fromByte: 0, toByte: 130, more: false },
        { entry: 2, attempt: 3, fromByte: 0, toByte: 130, more: false },
      ],
    },
    { type: 'requestSend', link: 1 },
  ]);
  expect(inWords(agent.granted())).toEqual(['#2: 3']);
});

test('what comes without a session waits for the next one', () => {
  const agent = sender();
  agent.values(1);
  agent.lost();
  agent.after(250);
  expect(kinds(agent.values(1))).toEqual(['keepNews']);
  expect(kinds(agent.join({ session: 2 })).at(-1)).toBe('requestSend');
  expect(inWords(agent.granted())).toEqual(['#1: 1 2']);
});

test('prints leave with the next message, and alone where there is no news', () => {
  const agent = sender();
  expect(kinds(agent.step({ type: 'printsArrived' }))).toEqual(['requestSend']);
  expect(inWords(agent.granted())).toEqual(['#1: ']);
});

test('what the coordinator has taken is dropped', () => {
  const agent = sender();
  agent.values(1);
  agent.granted();
  agent.values(1);
  agent.granted();
  expect(agent.taken(1)).toEqual([{ type: 'dropNews', entries: [1] }]);
  expect(agent.taken(1)).toEqual([]);
  expect(agent.taken(2)).toEqual([{ type: 'dropNews', entries: [2] }]);
  expect(agent.snapshot.outbox).toEqual({ entries: 0, bytes: 0, isFull: false });
});

test('what was not taken is sent again under the new session, in the same order, from its first number', () => {
  const agent = sender(200);
  for (let at = 0; at < 3; at += 1) agent.values(1, 100);
  agent.granted();
  agent.granted();
  agent.taken(1);
  expect(kinds(rejoin(agent))).toContain('requestSend');
  expect(inWords(agent.granted())).toEqual(['#1: 2']);
  expect(inWords(agent.granted())).toEqual(['#2: 3']);
});

test('of an attempt that is not ours any more only its end is sent again', () => {
  const agent = sender();
  agent.values(1);
  agent.ended(1);
  agent.values(2);
  agent.granted();
  expect(rejoin(agent, [3])).toContainEqual({ type: 'dropNews', entries: [1] });
  expect(inWords(agent.granted())).toEqual(['#1: 2 3']);
});

test('news that are too big for a message travel in parts', () => {
  const agent = sender(400);
  agent.values(1, 900);
  agent.values(1, 50);
  const parts = [agent.granted(), agent.granted(), agent.granted()].flat();
  expect(inWords(parts)).toEqual(['#1: 1…', '#2: 1…', '#3: 1 2']);
  expect(only(parts, 'sendBatch')).toMatchObject([
    { pieces: [{ fromByte: 0, toByte: 400 }] },
    { pieces: [{ fromByte: 400, toByte: 800 }] },
    { pieces: [{ fromByte: 800, toByte: 900 }, {}] },
  ]);
});

test('a failure travels whole, however big', () => {
  const agent = sender(400);
  agent.step({ type: 'itemFailed', chunk: 1, index: 0, bytes: 900 });
  expect(only(agent.granted(), 'sendBatch')).toMatchObject([{ pieces: [{ toByte: 900, more: false }] }]);
});

test('news of which a part was lost with its session are sent again from the first one', () => {
  const agent = sender(400);
  agent.values(1, 900);
  agent.granted();
  agent.granted();
  expect(agent.taken(2)).toEqual([]);
  rejoin(agent);
  expect(inWords([agent.granted(), agent.granted(), agent.granted()].flat())).toEqual([
    '#1: 1…',
    '#2: 1…',
    '#3: 1',
  ]);
});

test('the rest of half-sent news is not sent when the attempt was taken back', () => {
  const agent = sender(400);
  agent.values(1, 900);
  agent.values(2, 10);
  agent.granted();
  expect(agent.revoke(3)).toContainEqual({ type: 'dropNews', entries: [1] });
  expect(inWords(agent.granted())).toEqual(['#2: 2']);
});

test('the children wait while too much is held, and go on well below that', () => {
  const agent = sender(1_000, 2_000);
  const sizes = [900, 900, 900];
  expect(sizes.flatMap((bytes) => kinds(agent.values(1, bytes)))).toContain('pauseChildren');
  for (let sequence = 1; sequence <= 3; sequence += 1) agent.granted();
  expect(kinds(agent.taken(1))).toEqual(['dropNews']);
  expect(kinds(agent.taken(2))).toEqual(['dropNews', 'resumeChildren']);
});

test('an epoch that ends frees the outbox, and the children that waited for it', () => {
  const agent = sender(1_000, 1_000);
  agent.values(1, 2_000);
  agent.lost();
  agent.after(250);
  expect(kinds(agent.join({ epoch: 2 }))).toContain('resumeChildren');
  expect(agent.snapshot.outbox).toEqual({ entries: 0, bytes: 0, isFull: false });
});

test.each([
  [1_999, false],
  [2_000, true],
  [2_001, true],
])('with %i of 2,000 bytes held the children wait: %s', (held, wait) => {
  const agent = sender(10_000, 2_000);
  // What frames a piece of news is counted, too.
  expect(kinds(agent.values(1, held - 64)).includes('pauseChildren')).toBe(wait);
  triedLimit('spoolBytes', held, 2_000);
});
