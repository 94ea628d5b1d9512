import { expect, test } from 'vitest';
import { RecentEvents } from './event-log.ts';

test('the last events are kept, the oldest first, and no more of them', () => {
  const log = new RecentEvents(3);
  for (let atMs = 1; atMs <= 5; atMs += 1) {
    log.append({ type: 'clockTicked', atMs });
    expect(log.recent.length).toBe(Math.min(atMs, 3));
  }
  expect(log.recent.map(({ atMs }) => atMs)).toEqual([3, 4, 5]);
});
