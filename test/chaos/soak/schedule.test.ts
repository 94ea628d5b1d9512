import { expect, test } from 'vitest';
import { canComeBeside, kinds, scheduleOf } from './schedule.ts';

const halfAnHourMs = 30 * 60_000;
const seeds = Array.from({ length: 50 }, (_, at) => at + 1);

test('equal seeds give equal faults, other seeds other ones', () => {
  expect(scheduleOf(7, halfAnHourMs)).toEqual(scheduleOf(7, halfAnHourMs));
  expect(scheduleOf(7, halfAnHourMs)).not.toEqual(scheduleOf(8, halfAnHourMs));
  // What happens in two minutes is how half an hour begins.
  expect(scheduleOf(7, halfAnHourMs)).toEqual(expect.arrayContaining(scheduleOf(7, 120_000)));
});

test('a fault comes every 2 to 5 seconds, and well over 300 in half an hour', () => {
  for (const seed of seeds) {
    const times = scheduleOf(seed, halfAnHourMs).map(({ atMs }) => atMs);
    const gaps = times.map((atMs, at) => atMs - (times[at - 1] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_000);
    expect(times.length).toBeGreaterThan(400);
  }
});

test('every kind of fault comes within half an hour, of whatever seed', () => {
  for (const seed of seeds) {
    const seen = new Set(scheduleOf(seed, halfAnHourMs).map(({ kind }) => kind));
    expect(Object.keys(kinds).filter((kind) => !seen.has(kind as keyof typeof kinds))).toEqual([]);
  }
});

test('no target is struck again before the last fault is over and has had its rest', () => {
  const freeAtMs = new Map<string, number>();
  for (const { atMs, kind, lastsMs, target } of scheduleOf(3, halfAnHourMs)) {
    expect(kinds[kind].targets).toContain(target);
    if (canComeBeside(kind, target)) continue;
    expect(freeAtMs.get(target) ?? 0).toBeLessThanOrEqual(atMs);
    freeAtMs.set(target, atMs + lastsMs + kinds[kind].restMs);
  }
});
