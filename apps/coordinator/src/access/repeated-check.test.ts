import { ShoalError } from '@shoal/errors';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RepeatedCheck } from './repeated-check.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

/** Lets so many turns pass, and what came of each be told. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await vi.advanceTimersByTimeAsync(100);
}

test('a complaint is told once, and again after another one or after a look that went well', async () => {
  const reasons = ['half', 'half', 'gone', undefined, 'gone'];
  const told: string[] = [];
  const check = new RepeatedCheck({
    everyMs: 100,
    look: async () => {
      const reason = reasons.shift();
      if (reason !== undefined) throw new Error(reason);
    },
    complain: (reason) => void told.push(reason),
  });
  await turns(5);
  expect(told).toEqual(['half', 'gone', 'gone']);
  check.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test('a limit that is the reason is told as often as that is, out of several reasons, too', async () => {
  const limits: string[] = [];
  const error = (reason: string): ShoalError =>
    new ShoalError('FILE_NOT_USABLE', { path: 'list', reason, limitName: 'revocations' });
  const several = new AggregateError([new Error('other'), error('two')], 'both');
  const errors = [error('one'), error('one'), several, new ShoalError('INTERNAL', { limitName: 'toString' })];
  const check = new RepeatedCheck({
    everyMs: 100,
    look: () => Promise.reject(errors.shift() ?? new Error('none')),
    complain: () => {},
    onLimit: (limit) => void limits.push(limit),
  });
  await turns(5);
  expect(limits).toEqual(['revocations', 'revocations']);
  check.stop();
});

test('a look that takes long is the only one meanwhile', async () => {
  let looks = 0;
  const slow = Promise.withResolvers<void>();
  const look = (): Promise<void> => {
    looks += 1;
    return slow.promise;
  };
  const check = new RepeatedCheck({ everyMs: 100, look, complain: () => {} });
  await turns(3);
  expect(looks).toBe(1);
  slow.resolve();
  await turns(1);
  expect(looks).toBe(2);
  check.stop();
});
