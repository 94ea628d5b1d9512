import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { usableCpus } from './usable-cpus.ts';

const files =
  (contents: Readonly<Record<string, string>>) =>
  (path: string): string => {
    const text = contents[path];
    if (text === undefined) throw new Error(`no ${path}`);
    return text;
  };

test('without a quota it is what the system schedules us on', () => {
  expect(usableCpus(files({}))).toBe(availableParallelism());
  expect(usableCpus(files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }))).toBe(
    availableParallelism(),
  );
});

test('a quota of our own group or of one above it counts, rounded up', () => {
  const group = { '/proc/self/cgroup': '0::/a/b\n' };
  expect(usableCpus(files({ ...group, '/sys/fs/cgroup/a/b/cpu.max': '50000 100000' }))).toBe(1);
  expect(usableCpus(files({ ...group, '/sys/fs/cgroup/a/cpu.max': '100000 100000' }))).toBe(1);
});

test('the quota of the older kind counts too', () => {
  const v1 = {
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '100000\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  };
  expect(usableCpus(files(v1))).toBe(1);
});
