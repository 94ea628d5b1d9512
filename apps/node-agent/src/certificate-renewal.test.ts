import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CertificateRenewal, renewalAtMs, retryAfterMs } from './certificate-renewal.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void vi.useRealTimers());

/** An agent with a certificate of a day, made now; `renew` is told the day of the one that it has. */
function agentThatRenews(renew: (made: number) => Promise<void>): {
  renewal: CertificateRenewal;
  said: string[];
} {
  const said: string[] = [];
  let validFromMs = Date.now();
  const renewal = new CertificateRenewal({
    agent: 'a',
    life: async () => ({ validFromMs, validToMs: validFromMs + dayMs }),
    renew: async () => {
      await renew(validFromMs);
      validFromMs = Date.now();
    },
    log: pino({}, { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) }),
  });
  return { renewal, said };
}

test('a certificate of a day is renewed when half of it is over', () => {
  expect(renewalAtMs({ validFromMs: 1_000, validToMs: 1_000 + dayMs })).toBe(1_000 + 12 * hourMs);
});

test('a certificate of a year is renewed by whoever made it', () => {
  expect(renewalAtMs({ validFromMs: 0, validToMs: 365 * dayMs })).toBeUndefined();
});

test('the next try comes after a twentieth of what is left, and agents that fail together try apart', () => {
  expect([0, 1].map((chance) => retryAfterMs(hourMs, chance))).toEqual([180_000, 90_000]);
  expect(retryAfterMs(12 * hourMs, 0), 'ten minutes at most').toBe(600_000);
  expect(retryAfterMs(1_000, 0), 'never in a hurry').toBe(1_000);
});

test('it is renewed twice a day, for ever', async () => {
  const { renewal, said } = agentThatRenews(async () => {});
  await renewal.start();
  await vi.advanceTimersByTimeAsync(3 * dayMs);
  expect(said).toHaveLength(6);
  renewal.stop();
});

test('a coordinator that comes back in time renews it', async () => {
  const backAtMs = Date.now() + 23 * hourMs;
  const { renewal, said } = agentThatRenews(async () => {
    if (Date.now() < backAtMs) throw new Error('Nobody there.');
  });
  await renewal.start();
  await vi.advanceTimersByTimeAsync(dayMs);
  expect(said.at(-1)).toBe('agent a has a new certificate');
  renewal.stop();
});

test('one that has expired is renewed no more: that is said once, with what helps', async () => {
  let tries = 0;
  const { renewal, said } = agentThatRenews(async () => {
    tries += 1;
    throw new Error('Nobody there.');
  });
  const until = new Date(Date.now() + dayMs);
  await renewal.start();
  await vi.advanceTimersByTimeAsync(dayMs);
  const [triesMeanwhile, saidMeanwhile] = [tries, said.length];
  expect(triesMeanwhile).toBeLessThan(1_000);
  expect(said.at(-1)).toMatch(
    /has expired on .* Join again with a new token: shoal token create --role agent\./,
  );
  expect(said.filter((line) => line.includes('has expired'))).toHaveLength(1);
  expect(said.at(-1)).toContain(until.toISOString());
  await vi.advanceTimersByTimeAsync(10 * dayMs);
  expect([tries, said.length]).toEqual([triesMeanwhile, saidMeanwhile]);
});

test('stopped, it renews nothing, also where a try was under way', async () => {
  const { renewal, said } = agentThatRenews(
    () => new Promise((_, reject) => setTimeout(reject, 1_000, new Error('Late.'))),
  );
  await renewal.start();
  await vi.advanceTimersByTimeAsync(12 * hourMs + 500);
  renewal.stop();
  await vi.advanceTimersByTimeAsync(dayMs);
  expect(said.filter((line) => line.includes('Late.'))).toHaveLength(1);
});

test('of a machine that slept past the time for it, it is renewed within minutes of its waking', async () => {
  const { renewal, said } = agentThatRenews(async () => {});
  await renewal.start();
  await vi.advanceTimersByTimeAsync(6 * hourMs);
  // Timers stand still while a machine sleeps, its clock does not.
  vi.setSystemTime(Date.now() + 13 * hourMs);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(said).toEqual(['agent a has a new certificate']);
  renewal.stop();
});

test('a clock that is put back keeps no try waiting for longer than was meant', async () => {
  let tries = 0;
  const { renewal } = agentThatRenews(async () => {
    tries += 1;
    throw new Error('Nobody there.');
  });
  await renewal.start();
  await vi.advanceTimersByTimeAsync(12 * hourMs);
  expect(tries).toBe(1);
  vi.setSystemTime(Date.now() - 6 * hourMs);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(tries).toBeGreaterThan(1);
  renewal.stop();
});

test('a clock that was ahead and is put right ends no renewal', async () => {
  const { renewal, said } = agentThatRenews(async () => {});
  await renewal.start();
  await vi.advanceTimersByTimeAsync(hourMs);
  vi.setSystemTime(Date.now() + 2 * dayMs);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(said).toEqual([expect.stringContaining('has expired')]);
  vi.setSystemTime(Date.now() - 2 * dayMs);
  await vi.advanceTimersByTimeAsync(12 * hourMs);
  expect(said.slice(1)).toEqual(['agent a has a new certificate']);
  renewal.stop();
});
