import { chance } from '../chance.ts';

/** The agents of the soak. The first one is never ended, so that what grows in an agent has the whole time to do so. */
export const agentNames = ['steady', 'second', 'third'] as const;
export type AgentName = (typeof agentNames)[number];

/** Whom a fault strikes: a process, or the network between it and the coordinator. */
export type Target = AgentName | 'client' | 'coordinator';

interface Kind {
  readonly targets: readonly Target[];
  /** How often, in relation to the others. */
  readonly weight: number;
  /** How long it lasts, in milliseconds. Without it: no longer than a moment. */
  readonly lastsMs?: readonly [min: number, max: number];
  /** How long its target is left alone afterwards. */
  readonly restMs: number;
}

const everybody: readonly Target[] = [...agentNames, 'client'];
const mortals: readonly Target[] = agentNames.slice(1);

/**
 * What can happen. Lease (10 s), grace (3 s) and a client's 30 s are all exceeded by something and kept by something; only
 * the client is never away for as long as that: its job would rightly be cancelled. Its rests are what it takes to be back.
 * An agent that lost its session five times a minute would be set aside, rightly too, and then there would be nothing to
 * strike: the weights make that rare.
 */
export const kinds = {
  'child killed': { targets: agentNames, weight: 16, restMs: 500 },
  'agent killed': { targets: mortals, weight: 4, lastsMs: [200, 5_000], restMs: 10_000 },
  'agent told to end': { targets: mortals, weight: 2, lastsMs: [200, 3_000], restMs: 10_000 },
  'agent drained by an operator': { targets: agentNames, weight: 4, lastsMs: [500, 6_000], restMs: 2_000 },
  'agent stopped': { targets: agentNames, weight: 5, lastsMs: [300, 13_000], restMs: 4_000 },
  'coordinator stopped': { targets: ['coordinator'], weight: 4, lastsMs: [300, 5_000], restMs: 8_000 },
  'partition, both ways': { targets: agentNames, weight: 4, lastsMs: [500, 14_000], restMs: 4_000 },
  'partition, packets from it': { targets: agentNames, weight: 2, lastsMs: [500, 14_000], restMs: 4_000 },
  'partition, packets to it': { targets: agentNames, weight: 2, lastsMs: [500, 14_000], restMs: 4_000 },
  'client cut off': { targets: ['client'], weight: 2, lastsMs: [500, 8_000], restMs: 12_000 },
  'connection reset': { targets: everybody, weight: 5, restMs: 2_000 },
  'reset in the middle of a message': {
    targets: everybody,
    weight: 2,
    lastsMs: [300, 900],
    restMs: 2_000,
  },
  'connection reset, new ones refused': {
    targets: everybody,
    weight: 2,
    lastsMs: [300, 4_000],
    restMs: 3_000,
  },
  'only it believes in its connection': { targets: agentNames, weight: 2, restMs: 28_000 },
  'only the client believes in its connection': { targets: ['client'], weight: 2, restMs: 35_000 },
  'only the coordinator believes in it': { targets: everybody, weight: 2, restMs: 4_000 },
  'stall, both ways': { targets: everybody, weight: 2, lastsMs: [500, 6_000], restMs: 3_000 },
  'stall, bytes from it': { targets: everybody, weight: 2, lastsMs: [500, 6_000], restMs: 3_000 },
  'stall, bytes to it': { targets: everybody, weight: 2, lastsMs: [500, 6_000], restMs: 3_000 },
  delay: { targets: everybody, weight: 4, lastsMs: [2_000, 8_000], restMs: 1_000 },
  jitter: { targets: everybody, weight: 4, lastsMs: [2_000, 8_000], restMs: 1_000 },
  'bytes in pieces': { targets: everybody, weight: 4, lastsMs: [2_000, 8_000], restMs: 1_000 },
  'little bandwidth': { targets: everybody, weight: 3, lastsMs: [2_000, 8_000], restMs: 1_000 },
} satisfies Readonly<Record<string, Kind>>;

export type FaultKind = keyof typeof kinds;

/** One thing that is to go wrong. */
export interface Fault {
  /** Since the start, in milliseconds. */
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly target: Target;
  /** 0: a moment. */
  readonly lastsMs: number;
  /** From 0 to below 1, for what is decided when it strikes: which child. */
  readonly lot: number;
}

/** Of a kind with many targets each is struck the more rarely. */
const pairs = Object.entries<Kind>(kinds).flatMap(([kind, { targets, weight }]) =>
  targets.map((target) => ({ kind: kind as FaultKind, target, weight: weight / targets.length })),
);

const [gapMsMin, gapMsMax] = [2_000, 5_000];

/** A child can die while its agent has other troubles, if it is there at all; so there is always something to strike. */
export const canComeBeside = (kind: FaultKind, target: Target): boolean =>
  kind === 'child killed' && target === 'steady';

/**
 * The faults of so many milliseconds: one every 2 to 5 s, several under way at a time, but never two at the same target,
 * save the death of a child. Equal seeds give equal schedules.
 */
export function scheduleOf(seed: number, forMs: number): Fault[] {
  const random = chance(seed);
  const between = (min: number, max: number): number => Math.round(min + random() * (max - min));
  const freeAtMs = new Map<Target, number>();
  const faults: Fault[] = [];
  for (let atMs = between(gapMsMin, gapMsMax); atMs < forMs; atMs += between(gapMsMin, gapMsMax)) {
    const possible = pairs.filter(
      ({ kind, target }) => canComeBeside(kind, target) || (freeAtMs.get(target) ?? 0) <= atMs,
    );
    let left = random() * possible.reduce((sum, { weight }) => sum + weight, 0);
    const chosen = possible.find(({ weight }) => {
      left -= weight;
      return left < 0;
    });
    const lot = random();
    if (chosen === undefined) continue;
    const { kind, target } = chosen;
    const { lastsMs: lasts, restMs }: Kind = kinds[kind];
    const lastsMs = lasts === undefined ? 0 : between(...lasts);
    freeAtMs.set(target, Math.max(freeAtMs.get(target) ?? 0, atMs + lastsMs + restMs));
    faults.push({ atMs, kind, target, lastsMs, lot });
  }
  return faults;
}
