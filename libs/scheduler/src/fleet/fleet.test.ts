import { expect, test } from 'vitest';
import { only, placed, schedulerWith, thrown, type World } from '../scheduler.testkit.ts';

test('G15, G17: an agent that is silent for its lease is lost, and its items go to others', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 2 } });
  world.passBeating(9_999, 'b');
  world.beat('a', []);
  world.passBeating(9_000, 'b');
  expect(only(world.passBeating(1_000, 'b'), 'endSession', 'note')).toContainEqual({
    type: 'endSession',
    session: 1,
    reason: 'silent',
  });
  expect(world.scheduler.snapshot().agents.map(({ agent }) => agent)).toEqual(['b']);
});

test('G17: after its stream closed an agent has three seconds to come back', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 2 } });
  world.step({ type: 'sessionClosed', session: 1, orderly: false });
  world.finish(2);
  expect(world.pass(2_999)).toEqual([]);
  const commands = world.pass(1);
  expect(only(commands, 'note')[0]?.note).toEqual({
    what: 'agentLost',
    agent: 'a',
    silentForMs: 3000,
    items: 1,
  });
  expect(placed([...commands, ...world.pass(250)])).toEqual(['3: item 0 on b']);
});

test('G17: attempts that a returning agent still holds go on in its new session', () => {
  const world = schedulerWith({ agents: { a: 2 }, job: { items: 2 } });
  world.step({ type: 'sessionClosed', session: 1, orderly: false });
  const commands = world.join('a', 2, { held: [2] });
  expect(only(commands, 'revoke', 'endSession', 'refuseJoin')).toEqual([]);
  expect(only(world.finish(2), 'keepResults')).toMatchObject([{ first: 1 }]);
  // The other one it did not bring back is lost.
  expect(placed([...commands, ...world.pass(250)])).toEqual(['3: item 0 on a']);
});

test('a join is told which of the attempts it brings are not its own', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  expect(only(world.join('b', 1, { held: [1, 77] }), 'revoke')).toEqual([
    { type: 'revoke', session: 2, attempt: 1, reason: 'notYours' },
    { type: 'revoke', session: 2, attempt: 77, reason: 'notYours' },
  ]);
});

test('an attempt of the same number from an earlier coordinator is not ours', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  world.step({ type: 'sessionClosed', session: 1, orderly: false });
  const held = [{ attempt: 1, job: 'job of another life' }];
  const commands = world.step({
    type: 'agentJoined',
    agent: 'a',
    session: 2,
    slots: 1,
    labels: {},
    held,
    permanent: false,
  });
  expect(only(commands, 'revoke')).toEqual([{ type: 'revoke', session: 2, attempt: 1, reason: 'notYours' }]);
});

test('a second live agent of the same name is refused, and the first one stays', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  world.beat('a');
  world.pass(4_999);
  expect(world.join('a', 1)).toEqual([{ type: 'refuseJoin', session: 2, agent: 'a' }]);
  expect(world.scheduler.snapshot().agents).toMatchObject([{ agent: 'a', session: 1 }]);
});

test('a restarted agent takes its name back once the old session has been quiet for two heartbeats and a bit', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  world.pass(5_000);
  expect(world.join('a', 1)).toEqual([{ type: 'endSession', session: 1, reason: 'superseded' }]);
});

test('an agent that names its last session takes its name back although the old stream seems open', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  world.beat('a');
  expect(only(world.join('a', 1, { resumes: 1, held: [1] }), 'endSession', 'refuseJoin', 'revoke')).toEqual([
    { type: 'endSession', session: 1, reason: 'superseded' },
  ]);
});

test('a join that comes twice or late is no news', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const join = { type: 'agentJoined', agent: 'a', slots: 1, labels: {}, held: [], permanent: false } as const;
  world.join('a', 1, { resumes: 1 });
  for (const session of [1, 2]) expect(world.step({ ...join, session })).toEqual([]);
});

test('G16: a heartbeat names an attempt that the agent does not own, and it is taken back', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  expect(world.beat('a', [5])).toEqual([{ type: 'revoke', session: 1, attempt: 5, reason: 'notYours' }]);
});

test('G16: a dispatch that no heartbeat confirms within five seconds is queued again', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  for (let second = 0; second < 5; second += 1) {
    expect(only(world.pass(999), 'revoke', 'dispatch')).toEqual([]);
    world.beat('a', []);
    world.nowMs += 1;
  }
  const commands = world.pass(250);
  expect(only(commands, 'note', 'revoke').slice(0, 2)).toEqual([
    { type: 'note', note: { what: 'dispatchUnconfirmed', attempt: 1 } },
    { type: 'revoke', session: 1, attempt: 1, reason: 'superseded' },
  ]);
  expect(placed(commands)).toEqual(['2: item 0 on a']);
});

test('G16: an attempt that heartbeats stop listing, its end unheard, is queued again', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  expect(only(world.passBeating(20_000, 'a'), 'note')).toEqual([]);
  world.dispatches.clear();
  expect(placed(world.passBeating(6_000, 'a'))).toEqual(['2: item 0 on a']);
});

test('G14: a heartbeat that was under way when the dispatch left does no harm', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  world.beat('a', []);
  world.pass(2_000);
  expect(world.beat('a', [1])).toEqual([]);
  expect(only(world.passBeating(8_000, 'a'), 'note')).toEqual([]);
});

test('G9: lost items have a budget of their own, and it ends', () => {
  const retries = { thrown: 0, crash: 0, timeout: 0, lost: 1 };
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 1, retries } });
  world.step({ type: 'sessionClosed', session: 1, orderly: false });
  expect(placed(world.passBeating(3_250, 'b'))).toEqual(['2: item 0 on b']);
  world.step({ type: 'sessionClosed', session: 2, orderly: false });
  expect(only(world.pass(3_000), 'keepFailure')).toMatchObject([
    { index: 0, failure: { kind: 'lost', attempts: [{ agent: 'a' }, { agent: 'b' }] }, withPayload: false },
  ]);
});

test('G9: an agent that starts five sessions within a minute gets nothing for 30 s, then for 60', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  const flap = () => {
    world.step({ type: 'sessionClosed', session: world.session('a'), orderly: false });
    return world.join('a', 1);
  };
  flap();
  flap();
  flap();
  expect(only(flap(), 'note').at(-1)?.note).toEqual({ what: 'agentQuarantined', agent: 'a', forMs: 30_000 });
  expect(world.waiting('job-1')).toBe('every agent lost its connection too often and gets no work for 30 s');
  // That it comes and goes on is no news.
  expect(only(flap(), 'note')).toEqual([]);
  world.dispatches.clear();
  expect(placed(world.passBeating(29_999, 'a'))).toEqual([]);
  expect(placed(world.pass(1))).toHaveLength(1);
  for (let times = 0; times < 4; times += 1) flap();
  expect(only(flap(), 'note').at(-1)?.note).toMatchObject({ what: 'agentQuarantined', forMs: 60_000 });
});

test('G19: time for which the scheduler itself stood still counts against nobody', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  world.nowMs = 15_000;
  world.step({ type: 'stallObserved', stalledMs: 14_000 });
  expect(only(world.step({ type: 'clockTicked' }), 'endSession')).toEqual([]);
  expect(world.scheduler.nextDeadlineMs()).toBe(24_000);
  expect(only(world.pass(8_999), 'endSession')).toEqual([]);
  expect(only(world.pass(1), 'endSession')).toHaveLength(1);
});

test('G27: a draining agent finishes what it has and gets nothing new until it is resumed', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 2 } });
  world.step({ type: 'drainRequested', agent: 'a' });
  expect(placed(world.finish(1))).toEqual([]);
  expect(world.waiting('job-1')).toBe('every agent is draining');
  expect(placed(world.step({ type: 'resumeRequested', agent: 'a' }))).toEqual(['2: item 1 on a']);
});

test('G27: what a leaving agent still had runs elsewhere at once, and the agent is charged nothing', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 3 } });
  world.finish(2);
  world.finish(3);
  expect(placed(world.step({ type: 'sessionClosed', session: 1, orderly: true }))).toEqual([
    '4: item 0 on b',
  ]);
  for (let times = 0; times < 8; times += 1) {
    expect(only(world.join('a', 1), 'note')).toEqual([]);
    world.step({ type: 'sessionClosed', session: world.session('a'), orderly: true });
  }
});

test('G27: what was on its way to an agent that said good-bye goes back free, also where nothing may be lost', () => {
  const retries = { thrown: 0, crash: 0, timeout: 0, lost: 0 };
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 2, retries } });
  world.finish(2);
  const commands = world.step({ type: 'sessionClosed', session: 1, orderly: true });
  expect(only(commands, 'keepFailure', 'note')).toEqual([]);
  expect(placed(commands)).toEqual(['3: item 0 on b']);
});

test('a permanent agent needs no heartbeat and no confirmation', () => {
  const world = schedulerWith({});
  world.join('local', 1, { permanent: true });
  world.add(1);
  expect(world.scheduler.nextDeadlineMs()).toBeUndefined();
  expect(world.pass(1_000_000)).toEqual([]);
  expect(only(world.finish(1), 'endJob')).toHaveLength(1);
});

test('more slots take more work at once, fewer slots take none until enough is done', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 5 } });
  expect(placed(world.step({ type: 'slotsChanged', session: 1, slots: 3 }))).toEqual([
    '2: item 1 on a',
    '3: item 2 on a',
  ]);
  world.step({ type: 'slotsChanged', session: 1, slots: 1 });
  expect(placed(world.finish(1, 100))).toEqual([]);
  expect(placed(world.finish(2, 100))).toEqual([]);
  expect(placed(world.finish(3, 100))).toEqual(['4: item 3 on a']);
});

test('G15: beyond a thousand agents heartbeats and leases stretch together', () => {
  const world = schedulerWith({});
  expect(world.scheduler.timing()).toEqual({ heartbeatMs: 2_000, leaseMs: 10_000 });
  for (let agent = 0; agent < 2_000; agent += 1) {
    const join = { type: 'agentJoined', slots: 1, labels: {}, held: [], permanent: false } as const;
    world.scheduler.step({ ...join, atMs: 0, agent: `agent-${agent}`, session: agent + 1 });
  }
  expect(world.scheduler.timing()).toEqual({ heartbeatMs: 4_000, leaseMs: 20_000 });
  expect(only(world.pass(19_999), 'endSession')).toEqual([]);
  expect(only(world.pass(1), 'endSession')).toHaveLength(2_000);
}, 60_000);

test('G15: where heartbeats are stretched, an agent keeps its name between two of them', () => {
  // One heartbeat in four seconds is all that there may be: agents beat half as often as usual.
  const world = schedulerWith({ agents: { a: 1 }, options: { heartbeatsPerSecondMax: 0.25 } });
  world.pass(7_000);
  expect(only(world.join('a', 1), 'refuseJoin')).toHaveLength(1);
  world.pass(3_000);
  expect(only(world.join('a', 1), 'refuseJoin')).toEqual([]);
});

test('G15: however few heartbeats there may be, a lease fits into a message', () => {
  const world = schedulerWith({ agents: { a: 1 }, options: { heartbeatsPerSecondMax: 1e-9 } });
  const { heartbeatMs, leaseMs } = world.scheduler.timing();
  expect(leaseMs).toBeLessThan(2 ** 31);
  expect(heartbeatMs).toBeLessThanOrEqual(leaseMs / 4);
});

test('an attempt that heartbeats have listed is not doubted before its agent is', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  world.beat('a');
  expect(world.pass(9_999)).toEqual([]);
});

test('a new process under the name of a drained one takes work, the same process goes on draining', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  world.step({ type: 'drainRequested', agent: 'a' });
  world.join('a', 1, { resumes: 1 });
  expect(world.scheduler.snapshot().agents[0]?.state).toBe('draining');
  world.step({ type: 'sessionClosed', session: 2, orderly: false });
  world.join('a', 1);
  expect(world.scheduler.snapshot().agents[0]?.state).toBe('live');
});

test('an agent that an operator drained is drained when it comes back, as itself or as another process', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const state = (): string | undefined => world.scheduler.snapshot().agents[0]?.state;
  world.step({ type: 'drainRequested', agent: 'a', untilResumed: true });
  world.step({ type: 'sessionClosed', session: 1, orderly: false });
  world.join('a', 1);
  expect(state()).toBe('draining');
  world.step({ type: 'sessionClosed', session: world.session('a'), orderly: false });
  world.pass(3_000);
  expect(world.scheduler.snapshot().agents).toEqual([]);
  world.join('a', 1);
  expect(state()).toBe('draining');
  world.step({ type: 'resumeRequested', agent: 'a' });
  world.step({ type: 'sessionClosed', session: world.session('a'), orderly: true });
  world.join('a', 1);
  expect(state()).toBe('live');
});

test('drains are remembered up to a limit, the latest ones', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1, c: 1 }, options: { drainsRememberedMax: 2 } });
  for (const agent of ['a', 'b', 'a', 'c']) world.step({ type: 'drainRequested', agent, untilResumed: true });
  for (const agent of ['a', 'b', 'c']) {
    world.step({ type: 'sessionClosed', session: world.session(agent), orderly: true });
    world.join(agent, 1);
  }
  const states = world.scheduler.snapshot().agents.map(({ agent, state }) => `${agent} ${state}`);
  expect(states.sort()).toEqual(['a draining', 'b live', 'c draining']);
});

const most = 4_294_967_295;
const told = { session: 2, attempt: 2 };
const death = { attempt: { pid: 7 } };
const lies: Array<[what: string, lie: Parameters<World['step']>[0]]> = [
  ['four billion values', { ...told, type: 'itemsSucceeded', first: 2, count: most, bytes: most, runMs: 1 }],
  ['a value of an item before', { ...told, type: 'itemsSucceeded', first: 1, count: 2, bytes: 20, runMs: 1 }],
  ['no values', { ...told, type: 'itemsSucceeded', first: 2, count: 0, bytes: 0, runMs: 1 }],
  ['the failure of another item', { ...told, type: 'itemFailed', index: 4, failure: thrown }],
  [
    'a death with other suspects',
    {
      ...told,
      type: 'attemptEnded',
      ending: { kind: 'childDied', death, suspects: [{ first: 2, count: most }] },
    },
  ],
  [
    'a return of others that began',
    { ...told, type: 'attemptEnded', ending: { kind: 'returned', started: [{ first: 0, count: 4 }] } },
  ],
  [
    'what its driver sees through',
    { type: 'protocolBroken', session: 2, reason: 'it reports 9 values in 1 byte' },
  ],
];

test.each(lies)('an agent that reports %s loses its session, and what it had runs elsewhere', (_, lie) => {
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 4, chunkSize: 2 } });
  const commands = world.step(lie);
  expect(only(commands, 'endSession')).toEqual([
    { type: 'endSession', session: 2, reason: 'brokeProtocol', said: expect.stringContaining('it reports') },
  ]);
  expect(only(commands, 'note')[0]?.note).toMatchObject({ what: 'protocolBroken', agent: 'b', items: 2 });
  expect(only(commands, 'keepResults', 'keepFailure', 'deliver')).toEqual([]);
  const { agents, jobs } = world.scheduler.snapshot();
  expect(agents.map(({ agent }) => agent)).toEqual(['a']);
  expect(jobs[0]).toMatchObject({ succeeded: 0, failed: 0, running: 2, queued: 2 });
  // Whatever else it says is news of a session that is over.
  expect(only(world.step(lie), 'endSession', 'keepResults', 'keepFailure')).toEqual([]);
  expect(placed([...world.finish(1), ...world.pass(250)])).toEqual(['3: items 2-3 on a']);
});
