import { EventEmitter } from 'node:events';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Identity } from './identity.ts';
import { KnownConnections } from './known-connections.ts';

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

class Connection extends EventEmitter {
  readonly destroyed = false;
  readonly destroy = vi.fn();
}

const bearer = (token: string): Identity => ({
  id: `token ${token}`,
  name: undefined,
  token,
  roles: new Set(['client']),
  words: 'a bearer',
});
const isAnn = ({ token }: Identity): boolean => token === 'ann';

test('the connection of somebody who is known no more is closed when he has heard why, and no other one is touched', () => {
  const known = new KnownConnections();
  const [anns, bobs, shared] = [new Connection(), new Connection(), new Connection()];
  known.seen(anns, bearer('ann'));
  known.seen(anns, bearer('ann'));
  known.seen(bobs, bearer('bob'));
  // Of a proxy, say: the one call had the one token, the next one another.
  for (const token of ['ann', 'bob', 'ann']) known.seen(shared, bearer(token));
  known.close(isAnn, 2_000);
  vi.advanceTimersByTime(1_999);
  expect(anns.destroy).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect([anns, bobs, shared].map(({ destroy }) => destroy.mock.calls.length)).toEqual([1, 0, 0]);
});

test('one that is gone is forgotten', () => {
  const known = new KnownConnections();
  const anns = new Connection();
  known.seen(anns, bearer('ann'));
  anns.emit('close');
  known.close(isAnn, 2_000);
  vi.advanceTimersByTime(2_000);
  expect(anns.destroy).not.toHaveBeenCalled();
});
