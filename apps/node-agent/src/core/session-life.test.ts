import { expect, test } from 'vitest';
import { kinds, notes, only, TestAgent } from './agent-machine.testkit.ts';

const heartbeat = (link: number, sequence: number, held: number[] = []) => ({
  type: 'sendHeartbeat',
  link,
  sequence,
  held,
});

test('an agent that starts dials and asks to be taken in', () => {
  const agent = new TestAgent();
  expect(agent.step({ type: 'started' })).toEqual([
    { type: 'dial', link: 1 },
    { type: 'join', link: 1, instance: 'life-1', held: [], epochSeen: 0 },
  ]);
});

test('once it is taken in it opens its data stream and says at once that it lives', () => {
  const agent = new TestAgent();
  agent.step({ type: 'started' });
  expect(agent.join({ session: 7, epoch: 3 })).toEqual([
    { type: 'openData', link: 1, session: 7, epoch: 3 },
    { type: 'note', note: { what: 'joined', session: 7, epoch: 3, held: 0 } },
    heartbeat(1, 1),
  ]);
});

test('G15: a heartbeat every 2 s lists every attempt that is held, running, waiting or reported', () => {
  const agent = TestAgent.joined();
  agent.announce();
  agent.dispatch(4);
  agent.dispatch(5);
  agent.step({ type: 'jobAnnounced', link: 1, job: 'job-2' });
  agent.dispatch(6, { job: 'job-2' });
  agent.ended(1);
  expect(agent.snapshot.attempts.map(({ attempt, state }) => `${attempt} ${state}`)).toEqual([
    '4 reported',
    '5 running',
    '6 waiting',
  ]);
  expect(only(agent.after(1_999), 'sendHeartbeat')).toEqual([]);
  expect(only(agent.after(1), 'sendHeartbeat')).toEqual([heartbeat(1, 2, [4, 5, 6])]);
});

test('an answer stretches heartbeats from then on', () => {
  const agent = TestAgent.joined();
  agent.after(2_000);
  agent.step({
    type: 'heartbeatAnswered',
    link: 1,
    sequence: 2,
    drop: [],
    heartbeatMs: 5_000,
    leaseMs: 25_000,
  });
  expect(only(agent.after(4_999), 'sendHeartbeat')).toEqual([heartbeat(1, 3)]);
  agent.answered(3);
  expect(only(agent.after(4_999), 'sendHeartbeat')).toEqual([heartbeat(1, 4)]);
});

test('attempts that an answer names are stopped', () => {
  const agent = TestAgent.joined();
  agent.announce();
  agent.dispatch(4);
  agent.after(2_000);
  expect(agent.answered(2, [4])).toEqual([{ type: 'abortChunk', chunk: 1, graceMs: 2_000 }]);
});

test('a process that comes to late for several heartbeats sends one', () => {
  const agent = TestAgent.joined();
  agent.jump(7_000);
  expect(only(agent.step({ type: 'clockTicked' }), 'sendHeartbeat')).toEqual([heartbeat(1, 2)]);
});

test('no heartbeat is added to a control stream that nobody reads', () => {
  const agent = TestAgent.joined();
  agent.step({ type: 'controlRoomChanged', link: 1, hasRoom: false });
  expect(only(agent.after(6_000), 'sendHeartbeat')).toEqual([]);
  agent.step({ type: 'controlRoomChanged', link: 1, hasRoom: true });
  expect(only(agent.after(2_000), 'sendHeartbeat')).toHaveLength(1);
});

test('a join that nobody answers is given up after 15 s', () => {
  const agent = new TestAgent();
  agent.step({ type: 'started' });
  expect(agent.after(14_999)).toEqual([]);
  const given = agent.after(1);
  expect(kinds(given)).toEqual(['closeLink']);
  expect(notes(given)).toMatchObject([{ what: 'disconnected', why: 'joinUnanswered', failures: 1 }]);
});

test('a session without an answer for 20 s is given up, and the agent dials again', () => {
  const agent = TestAgent.joined();
  expect(only(agent.after(19_999), 'closeLink')).toEqual([]);
  expect(only(agent.after(500), 'closeLink', 'dial')).toEqual([
    { type: 'closeLink', link: 1 },
    { type: 'dial', link: 2 },
  ]);
});

test('a session that the coordinator ended is closed, and the agent dials again', () => {
  const agent = TestAgent.joined();
  const over = agent.step({ type: 'sessionEnded', link: 1, reason: 'silent' });
  expect(kinds(over)).toEqual(['closeLink']);
  expect(notes(over)).toMatchObject([{ what: 'disconnected', why: 'silent' }]);
  expect(kinds(agent.after(250))).toEqual(['dial', 'join']);
});

test('a join after a lost link lists what is held, and the epoch', () => {
  const agent = TestAgent.joined();
  agent.announce();
  agent.dispatch(4);
  agent.lost();
  expect(only(agent.after(250), 'join')).toEqual([
    {
      type: 'join',
      link: 2,
      instance: 'life-1',
      held: [{ attempt: 4, epoch: 1, job: 'job-1', first: 40, count: 10 }],
      epochSeen: 1,
    },
  ]);
});

test('news of an earlier link are no news', () => {
  const agent = TestAgent.joined();
  agent.announce();
  agent.lost();
  agent.after(250);
  const late = [
    agent.step({ type: 'joined', link: 1, ...joined }),
    agent.step({ type: 'linkLost', link: 1, code: 'CONNECTION_LOST' }),
    agent.step({ type: 'attemptDispatched', link: 1, attempt: 9, job: 'job-1', ...work }),
    agent.step({ type: 'sessionEnded', link: 1, reason: 'superseded' }),
    agent.step({ type: 'sendGranted', link: 1 }),
  ];
  expect(late.flat()).toEqual([]);
  expect(agent.snapshot).toMatchObject({ link: 2, state: 'joining', attempts: [] });
});

test('a join that is answered twice begins one session', () => {
  const agent = TestAgent.joined();
  agent.announce();
  agent.dispatch(4);
  expect(agent.join({ epoch: 2 })).toEqual([]);
  expect(agent.snapshot.attempts).toHaveLength(1);
});

test('G13: a coordinator whose epoch is past is refused', () => {
  const agent = TestAgent.joined();
  agent.lost();
  agent.after(250);
  agent.join({ epoch: 5 });
  agent.lost();
  agent.after(250);
  const refused = agent.join({ epoch: 4 });
  expect(kinds(refused)).toEqual(['closeLink']);
  expect(notes(refused)).toMatchObject([{ what: 'disconnected', why: 'epochPast' }]);
  expect(only(agent.after(600), 'join')).toMatchObject([{ epochSeen: 5 }]);
});

const joined = {
  session: 9,
  epoch: 9,
  drop: [],
  heartbeatMs: 1,
  leaseMs: 4,
  selfFenceMs: 3,
  abandonMs: 9,
} as const;
const work = { first: 0, count: 1, marksStarts: false, tryNumber: 1, groupSlots: 0 } as const;
