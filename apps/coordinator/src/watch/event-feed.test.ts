import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type ClusterEvent, EventFeed } from './event-feed.ts';

/** A feed that logs nowhere, and what its watcher is told. */
function watched(): { readonly feed: EventFeed; readonly told: ClusterEvent[] } {
  const feed = new EventFeed(pino({ level: 'silent' }));
  const told: ClusterEvent[] = [];
  feed.watch((event) => told.push(event));
  return { feed, told };
}

test('times of a clock with fractions are told in whole milliseconds', () => {
  const { feed, told } = watched();
  feed.note({ what: 'agentQuarantined', agent: 'flapping', forMs: 1999.9999999999995 });
  feed.note({ what: 'agentLost', agent: 'flapping', silentForMs: 2000.0000000000005, items: 3 });
  expect(told.map(({ facts }) => facts)).toEqual([
    { agent: 'flapping', forMs: 2000 },
    { agent: 'flapping', silentForMs: 2000, items: 3 },
  ]);
});
