/** How many CPUs this process may really use: what the scheduler of the system lets it run on, and pays for. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The default of `processes`: at least 1. */
export function usableCpus(
  readText: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): number {
  // availableParallelism knows the affinity mask, and in some containers the quota; the smaller one counts.
  const quota = cgroupQuota(readText);
  const cpus = availableParallelism();
  return Math.max(1, quota === undefined ? cpus : Math.min(cpus, Math.ceil(quota)));
}

/** The CPU quota of our control group or of one above it, in CPUs; undefined where there is none. */
function cgroupQuota(readText: (path: string) => string): number | undefined {
  const quotas = [...quotasV2(readText), quotaV1(readText)].filter((quota) => quota !== undefined);
  return quotas.length === 0 ? undefined : Math.min(...quotas);
}

function* quotasV2(readText: (path: string) => string): Generator<number | undefined> {
  const own = /^0::(\/.*)$/m.exec(tryRead(readText, '/proc/self/cgroup') ?? '')?.[1];
  if (own === undefined) return;
  // Each group above us limits us too. In a container our own group is the root of what we see.
  for (let path = own.replace(/\/$/, ''); ; path = path.slice(0, path.lastIndexOf('/'))) {
    const [quota, period] = (tryRead(readText, `/sys/fs/cgroup${path}/cpu.max`) ?? '').trim().split(' ');
    yield ratio(quota, period);
    if (path === '') return;
  }
}

function quotaV1(readText: (path: string) => string): number | undefined {
  const quota = tryRead(readText, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us');
  const period = tryRead(readText, '/sys/fs/cgroup/cpu/cpu.cfs_period_us');
  return ratio(quota?.trim(), period?.trim());
}

function ratio(quota: string | undefined, period: string | undefined): number | undefined {
  const cpus = Number(quota) / Number(period);
  // "max" and -1 mean: no limit.
  return Number.isFinite(cpus) && cpus > 0 ? cpus : undefined;
}

function tryRead(readText: (path: string) => string, path: string): string | undefined {
  try {
    return readText(path);
  } catch {
    return undefined;
  }
}
