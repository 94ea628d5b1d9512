import { ShoalError } from '@shoal/errors';
import { Pool, usableCpus } from '@shoal/pool';
import { version } from '../version.ts';
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
    await agents('user'),
    await agents('container'),
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
    const { forked, notForked } = pool.stats().starts;
    const says =
      forked > 0 ? 'can be had' : `not to be had, so children are spawned: ${notForked}${remedy(notForked)}`;
    return { what, state: 'ok', says };
  } catch (error) {
    return { what, state: 'warning', says: (error as Error).message };
  }
}

const remedy = (why = ''): string => (why.includes('not built') ? '; npm run build, with cc, makes it' : '');

/**
 * What an agent of that level would find when it starts. A level that is not to be had is no fault: only whoever wants it
 * misses something.
 */
async function agents(level: 'user' | 'container'): Promise<Finding> {
  const what = `isolation ${level}`;
  const image = `shoal:${version}`;
  const { checkIsolation } = await import('@shoal/node-agent');
  try {
    await checkIsolation({ level, image });
    return {
      what,
      state: 'ok',
      says: level === 'user' ? 'can be had' : `can be had, with the image ${image}`,
    };
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    return { what, state: 'ok', says: `not to be had: ${error.facts['reason']}. ${error.facts['hint']}` };
  }
}
