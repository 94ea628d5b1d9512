import { PayloadStore } from '@shoal/scheduler';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AgentLink } from './agents/agent-link.ts';
import type { BundleStore } from './bundles/bundle-store.ts';
import { CoordinatorMachine } from './core/index.ts';
import { Driver, type DriverParts } from './driver.ts';
import { StorageError } from './payloads/payload.ts';
import type { PayloadVault } from './payloads/payload-vault.ts';
import { EventFeed } from './watch/event-feed.ts';
import { RecentEvents } from './watch/event-log.ts';
import { StallObserver } from './watch/stall-observer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A driver of an empty coordinator; whatever a test is not about does nothing. */
function driverWith(parts: Partial<DriverParts>): Driver {
  return new Driver({
    machine: new CoordinatorMachine({ epoch: 1, maxJobs: 1, graceMs: 30_000 }),
    log: new RecentEvents(),
    store: new PayloadStore(),
    vault: {} as PayloadVault,
    bundles: {} as BundleStore,
    feed: new EventFeed(pino({ level: 'silent' })),
    now: () => 0,
    lookForStall: () => {},
    maxPrintBytes: 2 ** 20,
    address: () => '127.0.0.1:7300',
    onLimit: () => {},
    ...parts,
  });
}

test('after a stall nobody is judged before it is known, whichever timer comes first', () => {
  const feed = new EventFeed(pino({ level: 'silent' }));
  const lost: unknown[] = [];
  feed.watch(({ event, facts }) => event === 'agent.lost' && lost.push(facts['agent']));
  let lag = 0;
  const now = (): number => Date.now() + lag;
  const machine = new CoordinatorMachine({ epoch: 1, maxJobs: 1, graceMs: 30_000 });
  const driver = driverWith({ machine, feed, now, lookForStall: () => stalls.look() });
  const stalls = new StallObserver((stalledMs) => driver.step({ type: 'stallObserved', stalledMs }), now);
  const join = (agent: string, session: number): void =>
    driver.step({ type: 'joinReceived', agent, session, instance: agent, slots: 1, labels: {}, held: [] });
  vi.advanceTimersByTime(100);
  join('closed', 1);
  join('silent', 2);
  // Its time is up 3 s after this, which falls between two beats of the observer.
  driver.step({ type: 'sessionClosed', session: 1, orderly: false });
  vi.advanceTimersByTime(2_950);
  lag = 15_000;
  vi.advanceTimersByTime(100);
  // The one whose time would have been up by now anyhow.
  expect(lost).toEqual(['closed']);
  expect(machine.snapshot().scheduler.agents).toMatchObject([{ agent: 'silent', state: 'live' }]);
  driver.stop();
  stalls.stop();
});

test('every event is in the log before anything is done about it', () => {
  const order: string[] = [];
  const driver = driverWith({
    log: { append: ({ type }) => void order.push(`log ${type}`), recent: [] },
  });
  const link: Partial<AgentLink> = {
    session: 1,
    admit: () => {
      order.push('admit');
      // What happens while a step is carried out comes after all of it.
      driver.step({ type: 'heartbeatListed', session: 1, sequence: 1, held: [7], stalledForMs: 0 });
      order.push('admitted');
    },
    answerHeartbeat: (_, drop) => order.push(`drop ${drop.join()}`),
  };
  driver.links.set(1, link as AgentLink);
  driver.step({
    type: 'joinReceived',
    session: 1,
    agent: 'a',
    instance: 'i',
    slots: 1,
    labels: {},
    held: [],
  });
  driver.stop();
  expect(order).toEqual(['log joinReceived', 'admit', 'admitted', 'log heartbeatListed', 'drop 7']);
});

test('a job whose bytes cannot be read back ends, and nothing else does', () => {
  const events: string[] = [];
  const driver = driverWith({ log: { append: ({ type }) => void events.push(type), recent: [] } });
  driver.reading(() => {
    throw new StorageError('job-1', 'the disk is broken');
  });
  expect(events).toEqual(['storageFailed']);
  expect(() =>
    driver.reading(() => {
      throw new Error('a bug');
    }),
  ).toThrow('a bug');
  driver.stop();
});

test('what is pushed in one turn of the event loop is handed out together, right after it', () => {
  const log = new RecentEvents();
  const driver = driverWith({
    log,
    lookForStall: () => driver.step({ type: 'stallObserved', stalledMs: 5_000 }),
  });
  driver.tickSoon();
  driver.tickSoon();
  expect(log.recent).toEqual([]);
  vi.runAllTimers();
  // Nobody is judged by a tick before a stall is known.
  expect(log.recent.map(({ type }) => type)).toEqual(['stallObserved', 'clockTicked']);
  driver.tickSoon();
  driver.stop();
  vi.runAllTimers();
  expect(log.recent).toHaveLength(2);
});

test('a core that fails logs what led to it, and tells whoever called no more than where', () => {
  const machine = new CoordinatorMachine({ epoch: 1, maxJobs: 1, graceMs: 30_000 });
  machine.step = () => {
    throw new Error('impossible');
  };
  const lines: unknown[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const feed = new EventFeed(log);
  const watched: unknown[] = [];
  feed.watch(({ facts }) => watched.push(facts));
  const driver = driverWith({ machine, feed });
  expect(() => driver.step({ type: 'stallObserved', stalledMs: 5_000 })).toThrow(
    expect.objectContaining({
      message: "the coordinator's core failed at stallObserved",
      cause: expect.objectContaining({ message: 'impossible' }),
    }),
  );
  expect(lines).toMatchObject([
    {
      level: 50,
      event: 'core.failed',
      step: 'stallObserved',
      stack: expect.stringContaining('Error: impossible'),
      story: [expect.stringContaining('"type":"stallObserved","stalledMs":5000')],
    },
  ]);
  expect(watched).toEqual([{ step: 'stallObserved' }]);
  driver.stop();
});
