import { readdirSync } from 'node:fs';
import type { GetStatusResponse } from '@shoal/protocol';
import { type Needs, needsOf, socketsOf, startedBy } from '../process-table.ts';
import { agentNames } from './schedule.ts';
import type { SoakWorld } from './world.ts';

/** Who is looked at. */
export const watched = ['coordinator', 'client', ...agentNames] as const;

/** All that was seen at one time. */
export interface Sample {
  /** Since the start, in milliseconds. */
  readonly atMs: number;
  /** Items with an outcome at the client. */
  readonly done: number;
  /** By name; who is down is missing. */
  readonly needs: Readonly<Partial<Record<(typeof watched)[number], Needs>>>;
  readonly children: number;
  /** Of one child; the middle one. */
  readonly childRssMiB: number | undefined;
  /** TCP connections of the coordinator. */
  readonly connections: number;
  /** Folders for temporary files. */
  readonly folders: number;
  /** What the coordinator said; undefined where it did not answer. */
  readonly status: Stated | undefined;
}

type Stated = Pick<
  GetStatusResponse,
  'agents' | 'slots' | 'busySlots' | 'queuedItems' | 'runningItems' | 'heldBytes'
>;
/** A coordinator that stands still says nothing. */
const answersWithinMs = 500;

/** Looks at everybody, from outside. */
export async function sampleOf(world: SoakWorld, atMs: number): Promise<Sample> {
  const services = watched.map((name) => [name, world.processOf(name)] as const);
  const needs = services.flatMap(([name, { alive, pid }]) => {
    const seen = alive ? needsOf(pid) : undefined;
    return seen === undefined ? [] : [[name, seen] as const];
  });
  const agents = agentNames.map((name) => world.processOf(name).pid);
  const children = startedBy(agents, 'child-main').flatMap((pid) => needsOf(pid)?.rssMiB ?? []);
  return {
    atMs,
    done: Number(world.client.events('client.progress').at(-1)?.['done'] ?? 0),
    needs: Object.fromEntries(needs),
    children: children.length,
    childRssMiB: children.sort((a, b) => a - b)[Math.floor(children.length / 2)],
    connections: socketsOf(world.cluster.coordinator.pid).connections,
    folders: readdirSync(world.cluster.env['TMPDIR'] ?? '').length - 1,
    status: await statusOf(world),
  };
}

async function statusOf(world: SoakWorld): Promise<Sample['status']> {
  const silence = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => silence.resolve(undefined), answersWithinMs);
  const answer = world.hub.status().catch(() => undefined);
  const status = await Promise.race([answer, silence.promise]);
  clearTimeout(timer);
  if (status === undefined) return undefined;
  const { agents, slots, busySlots, queuedItems, runningItems, heldBytes } = status;
  return { agents, slots, busySlots, queuedItems, runningItems, heldBytes };
}
