import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { Pool, setprivPaths, usableCpus } from '@shoal/pool';
import type { Finding } from './finding.ts';

const answersWithinMs = 10_000;

/** What this machine can do for a pool or an agent: start children, and keep them apart. */
export async function machineFindings(): Promise<Finding[]> {
  const cpus = usableCpus();
  return [
    { what: 'node', state: 'ok', says: `${process.versions.node} on ${process.platform} ${process.arch}` },
    { what: 'cpus', state: 'ok', says: `${cpus}: so many processes at once, unless told otherwise` },
    await children('children', 'process'),
    await forking(),
    await children('isolation permission', 'permission'),
    users(),
    await containers(),
  ];
}

async function children(what: string, isolation: 'process' | 'permission'): Promise<Finding> {
  const startedAtMs = performance.now();
  try {
    await using pool = new Pool({ processes: 1, isolation });
    await pool.map((x: number) => x + 1, [1], { deadlineMs: answersWithinMs });
    const ms = Math.round(performance.now() - startedAtMs);
    return { what, state: 'ok', says: `one started and ran a task in ${ms} ms` };
  } catch (error) {
    return { what, state: 'broken', says: (error as Error).message };
  }
}

/** Where it is not to be had children are spawned, which is slower and no fault. */
async function forking(): Promise<Finding> {
  const what = 'forking';
  try {
    await using pool = new Pool({ processes: 1, startChildren: 'fork' });
    await pool.map((x: number) => x + 1, [1], { deadlineMs: answersWithinMs });
    const { forked = 0, notForked } = pool.stats().starts ?? {};
    const says =
      forked > 0 ? 'can be had' : `not to be had, so children are spawned: ${notForked}${remedy(notForked)}`;
    return { what, state: 'ok', says };
  } catch (error) {
    return { what, state: 'warning', says: (error as Error).message };
  }
}

const remedy = (why = ''): string => (why.includes('not built') ? '; npm run build, with cc, makes it' : '');

/** A level that is not to be had is no fault: only whoever wants it misses something. */
function users(): Finding {
  const what = 'isolation user';
  const isRoot = process.getuid?.() === 0;
  const says =
    process.platform !== 'linux' || !isRoot
      ? 'not to be had: it takes root, on Linux'
      : setprivPaths.some(existsSync)
        ? 'can be had'
        : 'not to be had: it takes setpriv (util-linux)';
  return { what, state: 'ok', says };
}

async function containers(): Promise<Finding> {
  const args = ['version', '--format', '{{.Server.Version}}'];
  const says = await promisify(execFile)('docker', args, { timeout: answersWithinMs }).then(
    ({ stdout }) => `can be had: Docker ${stdout.trim()}`,
    () => 'not to be had: Docker does not answer',
  );
  return { what: 'isolation container', state: 'ok', says };
}
