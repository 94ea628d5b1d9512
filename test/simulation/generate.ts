import { withRareThings } from './generate-rare.ts';
import { Random } from './random.ts';
import {
  type AgentPlan,
  type Behaviour,
  type ClientPlan,
  type FaultPlan,
  type JobPlan,
  noWireFaults,
  type Scenario,
  type ScheduledFault,
  type WireFaults,
} from './scenario.ts';

/** What a run asks of every scenario. */
export interface Wishes {
  /** So many agents, whatever the seed says. */
  readonly agents?: number;
  /** Far more goes wrong than is likely anywhere. */
  readonly isStormy?: boolean;
}

const needed = 'gpu';
const bigCluster = 500;

/** The scenario of a seed: equal seeds and wishes give equal scenarios. */
export function scenarioOf(seed: number, { agents: agentCount, isStormy = false }: Wishes = {}): Scenario {
  const random = new Random(seed, 'scenario');
  const isCalm = !isStormy && random.chance(0.15);
  const chaosMs = isStormy ? random.skewed(30_000, 240_000) : random.skewed(4_000, 45_000);
  const agents = agentPlans(random, agentCount ?? random.skewed(1, random.chance(0.1) ? 60 : 9), chaosMs);
  const clients = Array.from(
    { length: random.int(1, 3) },
    (_, at): ClientPlan => ({
      name: `client-${at + 1}`,
      latencyMs: random.skewed(1, 40),
      clockOffsetMs: random.int(0, 10_000_000),
    }),
  );
  const jobs = Array.from({ length: isStormy ? random.int(3, 8) : random.skewed(1, 5) }, (_, at) =>
    jobPlan(random, at + 1, clients.length, agents, chaosMs, isCalm),
  );
  const faults = faultPlans(random, agents, clients, chaosMs, isCalm, isStormy);
  return withRareThings({
    seed,
    agents,
    clients,
    jobs,
    faults,
    wire: isCalm ? noWireFaults : wireFaults(random, isStormy),
    isCalm,
    graceMs: random.pick([12_000, 12_000, 30_000]),
    bundleFailures: isCalm ? 0 : random.pick([0, 0, 0.1]),
    chaosMs,
  });
}

function agentPlans(random: Random, count: number, chaosMs: number): AgentPlan[] {
  const plans: AgentPlan[] = [];
  for (let at = 1; at <= count; at += 1) {
    plans.push({
      name: `agent-${at}`,
      slots: random.skewed(1, 4),
      // The first one has what any job can ask for, and comes back whatever happens to it.
      labels: at === 1 || random.chance(0.4) ? { [needed]: '1' } : {},
      latencyMs: random.skewed(1, 60),
      slowness: random.chance(0.1) ? 10 : 1,
      clockOffsetMs: random.int(0, 10_000_000),
      startsAtMs: at === 1 || random.chance(0.8) ? random.int(0, 300) : random.int(0, chaosMs),
    });
  }
  if (count < 60 && random.chance(0.06)) {
    const plan = plans[0] as AgentPlan;
    plans.push({ ...plan, name: 'stranger-1', joinsAs: plan.name, startsAtMs: random.int(1_000, chaosMs) });
  }
  return plans;
}

function jobPlan(
  random: Random,
  number: number,
  clients: number,
  agents: readonly AgentPlan[],
  chaosMs: number,
  isCalm: boolean,
): JobPlan {
  // Big clusters get big jobs.
  const scale = agents.length >= bigCluster ? 40 : 1;
  const itemsOfOne = random.chance(0.03) ? 0 : random.skewed(1, 120);
  const itemMs = Math.min(random.skewed(1, 600), Math.max(1, 20_000 / Math.max(1, itemsOfOne)));
  const items = itemsOfOne * scale;
  const hasTimeout = random.chance(0.25);
  const hasDeadline = random.chance(0.1);
  const isCancelled = random.chance(0.12);
  const blockItems = random.skewed(1, 16);
  const isStrict = random.chance(0.12);
  const slots = agents.reduce((sum, each) => sum + each.slots, 0);
  const startsAtMs = random.chance(0.6) ? random.int(0, 500) : random.int(0, Math.round(chaosMs * 0.7));
  const behaviours = new Map<number, Behaviour>();
  if (random.chance(0.5)) {
    const odd = random.skewed(1, 5);
    const mayHang = hasTimeout || hasDeadline || isCancelled;
    for (let at = 0; at < odd && items > 0; at += 1) {
      behaviours.set(random.int(0, items - 1), behaviour(random, mayHang));
    }
  }
  return {
    name: `job-${number}`,
    client: random.int(0, clients - 1),
    startsAtMs,
    items,
    blockItems,
    group: `group-${random.chance(0.6) ? number : 1}`,
    processes: random.chance(0.3) ? random.int(1, Math.max(1, slots)) : 1_000_000,
    priority: random.chance(0.3) ? random.int(-3, 3) : 0,
    labels: random.chance(0.15) ? { [needed]: '1' } : {},
    chunkSize: random.chance(0.5) ? 'auto' : random.skewed(1, 12),
    concurrentTasks: random.chance(0.12) ? random.int(2, 4) : 1,
    ...(random.chance(0.3) ? { maxTasksPerChild: random.skewed(1, 20) } : {}),
    ...(hasTimeout ? { timeoutMs: Math.round(itemMs * 3 + 100) } : {}),
    ...(hasDeadline ? { deadlineMs: random.int(500, chaosMs) } : {}),
    retries: {
      thrown: random.pick([0, 0, 2]),
      crash: isStrict ? 0 : random.pick([2, 2, 1]),
      timeout: random.pick([0, 0, 1]),
      lost: isStrict ? 0 : random.chance(0.05) ? 1 : 10,
    },
    ordered: random.chance(0.65),
    failFast: random.chance(0.08),
    pure: random.chance(0.2),
    windowItems: random.skewed(1, 200) * scale,
    windowBytes: random.skewed(40, 20_000) * scale,
    errorBytes: 64,
    tellsTotal: random.chance(0.5),
    itemMs,
    behaviours,
    code: random.chance(0.04) ? random.pick(['cannotBeLoaded', 'initializerThrows'] as const) : 'works',
    ...(isCancelled ? { cancelAtMs: startsAtMs + random.skewed(1, chaosMs) } : {}),
    consumer: {
      itemMs: random.chance(0.2) ? random.skewed(1, 40) : 0,
      ...(random.chance(0.2)
        ? { pauseAtMs: random.int(0, chaosMs), pauseMs: random.int(100, isCalm ? 5_000 : 20_000) }
        : {}),
    },
  };
}

function behaviour(random: Random, mayHang: boolean): Behaviour {
  const kinds = ['throws', 'throwsFirst', 'poison', 'slow', ...(mayHang ? ['hangs'] : [])] as const;
  switch (random.pick(kinds)) {
    case 'throws':
      return { kind: 'throws', retryable: random.chance(0.7) };
    case 'throwsFirst':
      return { kind: 'throwsFirst', times: random.int(1, 2) };
    case 'poison':
      return { kind: 'poison', how: random.chance(0.5) ? 'signal' : 'exit' };
    case 'hangs':
      return { kind: 'hangs' };
    default:
      return { kind: 'slow', factor: random.int(3, 12) };
  }
}

/** Each seed stresses a few things, not always everything at once. */
function wireFaults(random: Random, isStormy: boolean): WireFaults {
  const rate = (): number => {
    if (isStormy) return random.between(0.1, 0.25);
    return random.chance(0.5) ? random.skewed(1, 150) / 1_000 : 0;
  };
  return {
    drop: rate() / 2,
    duplicate: rate(),
    delay: rate(),
    overtake: rate(),
    lateMs: random.skewed(5, 8_000),
  };
}

function faultPlans(
  random: Random,
  agents: readonly AgentPlan[],
  clients: readonly ClientPlan[],
  chaosMs: number,
  isCalm: boolean,
  isStormy: boolean,
): ScheduledFault[] {
  const count = isStormy ? random.skewed(20, 400) : random.chance(0.15) ? 0 : random.skewed(1, 20);
  const faults: ScheduledFault[] = [];
  let restarts = 0;
  for (let at = 0; at < count; at += 1) {
    const atMs = random.int(50, chaosMs);
    const fault = isCalm
      ? calmFault(random, agents)
      : anyFault(isStormy, random, agents, clients, chaosMs, restarts);
    if (fault === undefined) continue;
    if (fault.kind === 'coordinatorRestart') restarts += 1;
    faults.push({ ...fault, atMs });
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

function calmFault(random: Random, agents: readonly AgentPlan[]): FaultPlan | undefined {
  const agent = random.pick(agents).name;
  if (random.chance(0.3)) return { kind: 'coordinatorStall', ms: random.skewed(50, 15_000) };
  if (random.chance(0.5)) return { kind: 'operatorDrain', agent, resumeAfterMs: random.skewed(50, 8_000) };
  return agent === 'agent-1' ? undefined : { kind: 'agentDrain', agent };
}

function anyFault(
  isStormy: boolean,
  random: Random,
  agents: readonly AgentPlan[],
  clients: readonly ClientPlan[],
  chaosMs: number,
  restarts: number,
): FaultPlan | undefined {
  const agent = random.pick(agents).name;
  const client = random.pick(clients).name;
  const comesBack = agent === 'agent-1' || random.chance(0.8);
  const backAfterMs = comesBack ? { backAfterMs: random.skewed(50, 20_000) } : {};
  switch (random.int(1, 20)) {
    case 1:
    case 2:
    case 3: {
      const link = random.chance(0.75) ? agent : client;
      const ways = random.pick(['both', 'both', 'up', 'down'] as const);
      return { kind: 'partition', link, ways, ms: random.skewed(50, 25_000) };
    }
    case 4:
    case 5:
    case 6:
      return { kind: 'reset', link: random.chance(0.6) ? agent : client };
    case 7:
    case 8:
    case 9:
      return { kind: 'agentCrash', agent, silent: random.chance(0.4), ...backAfterMs };
    case 10:
    case 11:
    case 12:
      return { kind: 'agentStall', agent, ms: random.skewed(20, 40_000), clockStops: random.chance(0.2) };
    case 13:
      return { kind: 'agentDrain', agent, ...backAfterMs };
    case 14:
      return { kind: 'operatorDrain', agent, resumeAfterMs: random.skewed(50, chaosMs) };
    case 15:
    case 16:
    case 17:
      return { kind: 'childKill', agent, which: random.int(0, 5) };
    case 18:
      return { kind: 'coordinatorStall', ms: random.skewed(50, 20_000) };
    case 19:
      return restarts < 2 && random.chance(isStormy ? 0.03 : 0.25)
        ? { kind: 'coordinatorRestart', backAfterMs: random.skewed(20, 8_000) }
        : { kind: 'childKill', agent, which: random.int(0, 5) };
    default:
      return random.chance(0.2)
        ? { kind: 'clientGone', client, silent: false }
        : { kind: 'reset', link: client };
  }
}
