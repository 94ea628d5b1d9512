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

test('of one item, and of several, it speaks as one does', () => {
  const lines: string[] = [];
  const feed = new EventFeed(pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line).msg) }));
  for (const items of [1, 2]) {
    feed.note({ what: 'itemsRetried', job: 'j', items, why: 'crash' });
    feed.note({ what: 'agentLost', agent: 'a', silentForMs: 2_000, items });
    feed.note({ what: 'itemsSpeculated', job: 'j', items, straggler: 'a', agent: 'b' });
  }
  expect(lines).toEqual([
    '1 item of job j runs again: crash',
    'agent a silent for 2 s; its 1 unfinished item runs elsewhere',
    '1 item of job j lags on agent a; it runs on b too',
    '2 items of job j run again: crash',
    'agent a silent for 2 s; its 2 unfinished items run elsewhere',
    '2 items of job j lag on agent a; they run on b too',
  ]);
});
