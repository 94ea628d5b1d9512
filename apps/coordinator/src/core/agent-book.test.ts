/** Agents that come, come back, and fall silent. */
import { expect, test } from 'vitest';
import { CoordinatorWorld, running } from './coordinator-machine.testkit.ts';

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
