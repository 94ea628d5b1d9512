import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { connect, type MapPool } from 'shoal';
import { cpuNanoseconds } from '../bench/process-cpu.ts';
import { Victim } from './victim.ts';

/** One a shard: nothing costs a coordinator more. */
const items = Array.from({ length: 4_000 }, (_, at) => at);
const pairsMin = 60;
/** More than these take a quarter of an hour. */
const pairsMax = 240;

/** Connections that say nothing, from as many addresses of this machine as it takes. */
export async function openSilent(address: string, count: number, perAddress: number): Promise<Socket[]> {
  const port = Number(address.split(':')[1]);
  const sockets: Socket[] = [];
  for (let from = 0; from < count; from += 200) {
    const some = Array.from({ length: Math.min(200, count - from) }, (_, at) => {
      const localAddress = `127.0.${1 + Math.floor((from + at) / perAddress)}.1`;
      const socket = dial({ port, host: '127.0.0.1', localAddress });
      socket.on('error', () => {});
      return socket;
    });
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
  }
  return sockets;
}

/** What silent connections cost. */
export interface Silence {
  /** Those that were held until the end. */
  readonly held: number;
  readonly pairs: number;
  /** The part of the throughput that they cost: the median of all pairs of runs. */
  readonly lost: Median;
  /** CPU time of a coordinator for an item, in microseconds: without them and with them, each the median of all pairs. */
  readonly cpuUs: readonly [number, number];
  /** The part of that which they cost: the median of all pairs, which neighbours move least. */
  readonly cpuLost: Median;
}

/** The median of some values, and between which two of them the true one lies at 95 %. */
export interface Median {
  readonly value: number;
  readonly least: number;
  readonly most: number;
}

/** By the ranks alone, which suppose nothing of how the values lie: half of them are below the true median, give or take chance. */
export function medianOf(values: readonly number[]): Median {
  const sorted = values.toSorted((a, b) => a - b);
  const [half, reach] = [sorted.length / 2, 0.98 * Math.sqrt(sorted.length)];
  const at = (rank: number): number => sorted[Math.min(Math.max(0, rank), sorted.length - 1)] ?? 0;
  return {
    value: at(Math.floor(half)),
    least: at(Math.floor(half - reach)),
    most: at(Math.ceil(half + reach)),
  };
}

/** Whether what was measured cannot tell on which side of a bound it is. */
export const isBorderline = ({ least, most }: Median, bound: number): boolean =>
  least <= bound && bound < most;

/**
 * Runs the same job by turns on two clusters, one of which holds silent connections: both runs of a pair meet the same
 * machine, whatever else it does. Goes on, for four times as long at most, while it cannot be told on which side of `bound`
 * what they cost is.
 */
export async function silenceCosts(count: number, bound: number): Promise<Silence> {
  const flags = ['--max-connections', String(count + 100), '--first-byte-ms', '600000'];
  await using quiet = await Victim.start(flags);
  await using beset = await Victim.start(flags);
  await using quietPool = await connect(quiet.address);
  await using besetPool = await connect(beset.address);
  const sockets = await openSilent(beset.address, count, 1_900);
  const run = async (pool: MapPool): Promise<number> => {
    const fromMs = performance.now();
    await pool.map((x: number) => x + 1, items, { chunkSize: 1 });
    return performance.now() - fromMs;
  };
  await Promise.all([run(quietPool), run(besetPool)]);
  const lost: number[] = [];
  const cpuUs: (readonly [number, number])[] = [];
  const cpuLost = (): Median => medianOf(cpuUs.map(([quietUs, besetUs]) => besetUs / quietUs - 1));
  const isOpen = (): boolean =>
    lost.length < pairsMin ||
    (lost.length < pairsMax && [medianOf(lost), cpuLost()].some((seen) => isBorderline(seen, bound)));
  for (let at = 0; isOpen(); at++) {
    // Of the whole pair, so that what they cost while nobody works counts, too.
    const before = [quiet, beset].map(cpuUsOf);
    const [first, second] = at % 2 === 0 ? [quietPool, besetPool] : [besetPool, quietPool];
    const times = [await run(first), await run(second)] as const;
    const [without, withThem] = at % 2 === 0 ? times : times.toReversed();
    lost.push(1 - (without ?? 0) / (withThem ?? 0));
    const [quietUs = 0, besetUs = 0] = [quiet, beset].map(
      (victim, which) => (cpuUsOf(victim) - (before[which] ?? 0)) / items.length,
    );
    cpuUs.push([quietUs, besetUs]);
  }
  const held = sockets.filter(({ destroyed }) => !destroyed).length;
  for (const socket of sockets) socket.destroy();
  return {
    held,
    pairs: lost.length,
    lost: medianOf(lost),
    cpuUs: [
      medianOf(cpuUs.map(([quietUs]) => quietUs)).value,
      medianOf(cpuUs.map(([, besetUs]) => besetUs)).value,
    ],
    cpuLost: cpuLost(),
  };
}

const cpuUsOf = ({ coordinator }: Victim): number => cpuNanoseconds(coordinator.pid) / 1_000;
