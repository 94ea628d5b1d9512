import { ownPeer } from '../../libs/protocol/src/version.ts';
import { Random } from './random.ts';
import type { AgentPlan, Behaviour, JobPlan, Scenario, ScheduledFault } from './scenario.ts';

/**
 * Things that few worlds need, in few worlds. They are drawn from a stream of their own: a seed that has none of them
 * means what it meant before they were thought of.
 */
export function withRareThings(scenario: Scenario): Scenario {
  const random = new Random(scenario.seed, 'rare');
  let world: Scenario = {
    ...scenario,
    jobs: scenario.jobs.map((job) => ({ ...job, errorBytes: random.skewed(4, 400) })),
  };
  // Where nothing can be lost, only what loses nothing.
  const kinds = world.isCalm ? calmKinds : kindsOfThings;
  const times = random.chance(0.35) ? random.int(1, 2) : 0;
  const done = new Set<Thing>();
  for (let time = 0; time < times; time += 1) {
    const thing = random.pick(kinds);
    // Once each: two long silences would leave more to do than any world has time for.
    if (!done.has(thing)) world = thing(world, random);
    done.add(thing);
  }
  // Thought of later, and so drawn apart from the others, too.
  const apart = new Random(scenario.seed, 'unread');
  if (!world.isCalm && apart.chance(0.03)) world = unreadChildren(world, apart);
  const agents = world.agents.map((agent) => {
    const isOlder = new Random(scenario.seed, `release of ${agent.name}`).chance(0.15);
    return isOlder ? { ...agent, ignoresGroupSlots: true as const } : agent;
  });
  return { ...world, agents, faults: [...world.faults].sort((a, b) => a.atMs - b.atMs) };
}

type Thing = (scenario: Scenario, random: Random) => Scenario;

/** An agent comes and goes, often enough to be set aside. */
const flapping: Thing = (scenario, random) => {
  const { name } = random.pick(scenario.agents);
  const faults: ScheduledFault[] = [];
  let atMs = random.int(500, 3_000);
  for (let count = random.int(6, 14); count > 0; count -= 1) {
    faults.push({ kind: 'reset', link: name, atMs });
    atMs += random.skewed(800, 8_000);
  }
  return withFaults({ ...scenario, chaosMs: Math.max(scenario.chaosMs, atMs) }, faults);
};

/** An agent is cut off for so long that it has to stop what it runs, and runs something that takes long. */
const longSilence: Thing = (scenario, random) => {
  const { name } = random.pick(scenario.agents);
  const atMs = random.int(1_000, 4_000);
  const ms = random.int(64_000, 110_000);
  const [first, ...others] = scenario.jobs;
  if (first === undefined || first.items === 0) return scenario;
  const { timeoutMs: _, deadlineMs: __, cancelAtMs: ___, ...rest } = first;
  // What never ends would need the limits that this job has not.
  const behaviours = new Map<number, Behaviour>(
    [...first.behaviours].filter(([, { kind }]) => kind !== 'hangs'),
  );
  const slow = { kind: 'slow', factor: 160_000 / first.itemMs } as const;
  for (let count = Math.min(3, first.items); count > 0; count -= 1) {
    behaviours.set(random.int(0, first.items - 1), slow);
  }
  const job: JobPlan = { ...rest, startsAtMs: random.int(0, 500), behaviours };
  const ways = random.pick(['both', 'both', 'down'] as const);
  const agents = scenario.agents.map((agent) => ({ ...agent, slowness: 1 }));
  return withFaults(
    { ...scenario, agents, jobs: [job, ...others], chaosMs: Math.max(scenario.chaosMs, atMs + ms) },
    [{ kind: 'partition', link: name, ways, ms, atMs }],
  );
};

/** Agents hear nothing while they are heard. */
const deaf: Thing = (scenario, random) =>
  withFaults(scenario, [
    {
      kind: 'partition',
      link: random.pick(scenario.agents).name,
      ways: 'down',
      ms: random.int(11_000, 25_000),
      atMs: at(scenario, random),
    },
  ]);

/** Agents of other releases: some are understood, some are not. */
const otherReleases: Thing = (scenario, random) => ({
  ...scenario,
  agents: scenario.agents.map((agent, at): AgentPlan => {
    if (at === 0 || agent.joinsAs !== undefined || random.chance(0.4)) return agent;
    const { oldestProtocol, protocol } = ownPeer;
    const newer = { version: '0.9.0', protocol: protocol + 1, oldestProtocol };
    const tooNew = { version: '9.0.0', protocol: protocol + 2, oldestProtocol: protocol + 1 };
    const tooOld = { version: '0.0.1', protocol: oldestProtocol - 1, oldestProtocol: 0 };
    return { ...agent, peer: random.pick([newer, tooNew, tooOld]) };
  }),
});

/** A coordinator of an earlier epoch answers for a while. */
const fromThePast: Thing = (scenario, random) =>
  withFaults(scenario, [
    {
      kind: 'coordinatorRestart',
      backAfterMs: random.skewed(20, 3_000),
      pastMs: random.skewed(1_000, 20_000),
      atMs: at(scenario, random),
    },
  ]);

const clockJumps: Thing = (scenario, random) => {
  const names = [...scenario.agents, ...scenario.clients].map(({ name }) => name);
  const faults = Array.from(
    { length: random.int(1, 4) },
    (): ScheduledFault => ({
      kind: 'clockJump',
      host: random.chance(0.3) ? 'coordinator' : random.pick(names),
      ms: random.skewed(500, 90_000),
      atMs: at(scenario, random),
    }),
  );
  return withFaults(scenario, faults);
};

const hangingInitializer: Thing = (scenario, random) => {
  const which = random.int(0, scenario.jobs.length - 1);
  const jobs = scenario.jobs.map((job, at) =>
    at === which ? { ...job, code: 'initializerHangs' as const } : job,
  );
  return { ...scenario, jobs };
};

/** `processes` of an agent change while it runs. */
const resized: Thing = (scenario, random) => {
  const faults = Array.from(
    { length: random.int(1, 5) },
    (): ScheduledFault => ({
      kind: 'agentResized',
      agent: random.pick(scenario.agents).name,
      slots: random.int(1, 6),
      atMs: at(scenario, random),
    }),
  );
  return withFaults(scenario, faults);
};

const clientReplaced: Thing = (scenario, random) =>
  withFaults(scenario, [
    {
      kind: 'clientReplaced',
      client: random.pick(scenario.clients).name,
      afterMs: random.skewed(20, 6_000),
      from: random.pick(['start', 'cursor'] as const),
      livesOn: random.chance(0.5),
      atMs: at(scenario, random),
    },
  ]);

/** A machine with a client on it is gone, and nobody closes its connections. */
const halfOpenClient: Thing = (scenario, random) =>
  withFaults(scenario, [
    {
      kind: 'clientGone',
      client: random.pick(scenario.clients).name,
      silent: true,
      atMs: at(scenario, random),
    },
  ]);

/** Every item of a job fails, with an error that weighs something. */
const nothingButErrors: Thing = (scenario, random) => {
  const which = random.int(0, scenario.jobs.length - 1);
  const throws = { kind: 'throws', retryable: random.chance(0.3) } as const;
  const jobs = scenario.jobs.map((job, at) => {
    if (at !== which) return job;
    const behaviours = new Map(Array.from({ length: job.items }, (_, index) => [index, throws] as const));
    return { ...job, behaviours, errorBytes: random.int(100, 400), windowBytes: random.skewed(200, 2_000) };
  });
  return { ...scenario, jobs };
};

/** An agent that is cut off has soon no room for what its children say, and items with a time limit end unread. */
const unreadChildren: Thing = (scenario, random) => {
  const [link] = scenario.agents.map(({ name }) => name) as [string];
  // The others come later: among many each would have too little to do.
  const agents = scenario.agents.map((agent) => ({
    ...agent,
    slowness: 1,
    startsAtMs: agent.name === link ? 0 : agent.startsAtMs + 4_000,
  }));
  const [first, ...others] = scenario.jobs;
  if (first === undefined) return scenario;
  const { cancelAtMs: _, deadlineMs: __, maxTasksPerChild: ___, ...rest } = first;
  const items = random.int(60, 120);
  const throws = { kind: 'throws', retryable: false } as const;
  const job: JobPlan = {
    ...rest,
    startsAtMs: random.int(300, 600),
    processes: 1_000_000,
    labels: {},
    items,
    blockItems: items,
    chunkSize: random.int(8, 40),
    windowItems: 200,
    windowBytes: 1_000_000,
    errorBytes: random.int(400, 1_000),
    itemMs: random.int(40, 200),
    timeoutMs: random.int(700, 2_000),
    retries: { ...first.retries, thrown: 0, timeout: 0 },
    failFast: false,
    code: 'works',
    behaviours: new Map(Array.from({ length: items }, (_, index) => [index, throws] as const)),
  };
  const [atMs, ms] = [random.int(1_200, 3_000), random.int(4_000, 7_500)];
  return withFaults(
    { ...scenario, agents, jobs: [job, ...others], chaosMs: Math.max(scenario.chaosMs, atMs + ms) },
    [{ kind: 'partition', link, ways: 'both', ms, atMs }],
  );
};

const calmKinds: readonly Thing[] = [hangingInitializer, nothingButErrors, otherReleases];
const kindsOfThings: readonly Thing[] = [
  clientReplaced,
  clientReplaced,
  clockJumps,
  deaf,
  flapping,
  fromThePast,
  halfOpenClient,
  hangingInitializer,
  longSilence,
  longSilence,
  nothingButErrors,
  otherReleases,
  resized,
];

function withFaults(scenario: Scenario, faults: readonly ScheduledFault[]): Scenario {
  return { ...scenario, faults: [...scenario.faults, ...faults] };
}

function at({ chaosMs }: Scenario, random: Random): number {
  return random.int(50, chaosMs);
}
