import { PayloadStore } from '@shoal/scheduler';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { BundleStore } from './bundle-store.ts';
import { CoordinatorMachine } from './core/index.ts';
import { Driver } from './driver.ts';
import { EventFeed } from './event-feed.ts';
import { RecentEvents } from './event-log.ts';
import type { PayloadVault } from './payload-vault.ts';
import { StallObserver } from './stall-observer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('after a stall nobody is judged before it is known, whichever timer comes first', () => {
  const feed = new EventFeed(pino({ level: 'silent' }));
  const lost: unknown[] = [];
  feed.watch(({ event, facts }) => event === 'agent.lost' && lost.push(facts['agent']));
  let lag = 0;
  const now = (): number => Date.now() + lag;
  const machine = new CoordinatorMachine({ epoch: 1, maxJobs: 1, graceMs: 30_000 });
  const driver = new Driver({
    machine,
    log: new RecentEvents(),
    store: new PayloadStore(),
    vault: {} as PayloadVault,
    bundles: {} as BundleStore,
    feed,
    now,
    lookForStall: () => stalls.look(),
  });
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
