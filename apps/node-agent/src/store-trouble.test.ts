import { ShoalError } from '@shoal/errors';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { StoreTrouble } from './store-trouble.ts';

const full = new ShoalError('BUNDLE_NOT_STORED', {
  bundle: 'abc',
  folder: '/bundles',
  reason: 'ENOSPC: no space left on device',
});

function troubleWithClock() {
  const logged: string[] = [];
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line).event) });
  const clock = { nowMs: 0 };
  return { trouble: new StoreTrouble(log, () => clock.nowMs), logged, clock };
}

test('a disk that is full is told, and logged once a minute however often it is tried', () => {
  const { trouble, logged, clock } = troubleWithClock();
  for (; clock.nowMs < 90_000; clock.nowMs += 1_000) trouble.stored(full);
  expect(trouble.current()).toEqual([expect.stringContaining('abc cannot be stored in /bundles: ENOSPC')]);
  expect(logged).toEqual(['agent.bundleNotStored', 'agent.bundleNotStored']);
});

test('the first bundle that is stored ends it', () => {
  const { trouble, logged } = troubleWithClock();
  trouble.stored(full);
  trouble.stored();
  trouble.stored();
  expect([trouble.current(), logged]).toEqual([[], ['agent.bundleNotStored', 'agent.bundleStoredAgain']]);
});

test('what nobody has tried for half a minute keeps nobody from anything', () => {
  const { trouble, clock } = troubleWithClock();
  trouble.stored(full);
  clock.nowMs = 30_000;
  expect(trouble.current()).toEqual([]);
});
