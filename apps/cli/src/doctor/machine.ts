import { ShoalError } from '@shoal/errors';
import { type IsolationLevel, Pool, usableCpus } from '@shoal/pool';
import { version } from '../version.ts';
import type { Finding } from './finding.ts';

const answersWithinMs = 10_000;

/** How the agents of this machine are to keep children apart. */
export interface WantedIsolation {
  /** Undefined: nobody said. */
  readonly level: IsolationLevel | undefined;
  /** For `container`. Default: that of this release. */
  readonly image: string | undefined;
}

/** What this machine can do for a pool or an agent: start children, and keep them apart. */
export async function machineFindings(wanted: WantedIsolation): Promise<Finding[]> {
  const cpus = usableCpus();
  return [
    { what: 'node', state: 'ok', says: `${process.versions.node} on ${process.platform} ${process.arch}` },
    { what: 'cpus', state: 'ok', says: `${cpus}: so many processes at once, unless told otherwise` },
    await children('children', 'process'),
    await forking(),
    await children('isolation permission', 'permission'),
    await agents('user', wanted),
    await agents('container', wanted),
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

/** What an agent of that level would find when it starts. One that is not to be had is missed by whoever wants it alone. */
async function agents(level: 'user' | 'container', wanted: WantedIsolation): Promise<Finding> {
  const what = `isolation ${level}`;
  const image = wanted.image ?? `shoal:${version}`;
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
    const says = `not to be had: ${error.facts['reason']}. ${error.facts['hint']}`;
    return { what, state: wanted.level === level ? 'broken' : 'absent', says };
  }
}
