import type { FaultCounts } from './faults.ts';
import { scenarioOf, type Wishes } from './generate.ts';
import type { Tally } from './oracle/tally.ts';
import type { Scenario } from './scenario.ts';
import { shrunk } from './shrink.ts';
import { Trace } from './trace.ts';
import { Violation } from './violation.ts';
import { World } from './world.ts';

/** What came of a world. */
export interface Played {
  readonly seed: number;
  /** Undefined: every promise was kept. */
  readonly violation: Violation | undefined;
  readonly faults: FaultCounts;
  readonly tally: Tally;
  readonly hash: string;
  /** Things that happened. */
  readonly events: number;
  /** Steps of the coordinator's core. */
  readonly steps: number;
}

/** Plays the scenario of a seed. */
export function playSeed(seed: number, wishes: Wishes = {}): Played {
  return playScenario(scenarioOf(seed, wishes));
}

/** Plays a scenario to its end, or to the first broken promise. */
export function playScenario(scenario: Scenario, trace?: Trace): Played {
  const world = new World(scenario, trace === undefined ? {} : { trace });
  let violation: Violation | undefined;
  try {
    world.run();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  const { events, faults, hash, oracle } = world;
  const { steps, tally } = oracle;
  return { seed: scenario.seed, violation, faults: faults.counts, tally, hash, events, steps };
}

/** A failure that a person can read: the smallest scenario that still breaks the same promise, and its story. */
export function explained(seed: number, wishes: Wishes, linesMax: number): string {
  const breaks = (scenario: Scenario): string | undefined => playScenario(scenario).violation?.guarantee;
  const full = scenarioOf(seed, wishes);
  const { guarantee } = playScenario(full).violation ?? {};
  if (guarantee === undefined) return `seed ${seed} breaks nothing`;
  const small = shrunk(full, (scenario) => breaks(scenario) === guarantee);
  const trace = new Trace();
  const { violation } = playScenario(small, trace);
  if (violation === undefined) return `seed ${seed} breaks nothing when it is watched`;
  return [
    `${violation.guarantee}: ${violation.message}`,
    `shrunk from ${sizeOf(full)} to ${sizeOf(small)}:`,
    ...small.faults.map((fault) => `  ${JSON.stringify(fault)}`),
    ...small.jobs.map((job) => `  ${JSON.stringify({ ...job, behaviours: [...job.behaviours] })}`),
    trace.story(violation, linesMax),
  ].join('\n');
}

function sizeOf({ agents, clients, faults, jobs, wire }: Scenario): string {
  const items = jobs.reduce((sum, job) => sum + job.items, 0);
  const isNoisy = wire.drop + wire.duplicate + wire.delay + wire.overtake > 0;
  const counts = [
    `${agents.length} agents`,
    `${clients.length} clients`,
    `${jobs.length} jobs of ${items} items`,
    `${faults.length} faults`,
  ];
  return `${counts.join(', ')}${isNoisy ? ' and faults of messages' : ''}`;
}
