import { noWireFaults, type Scenario } from './scenario.ts';

/** Worlds that are tried, at most: each takes some milliseconds. */
const triesMax = 400;

/** The smallest scenario that can be had by leaving things out, one after the other, and that still `fails`. */
export function shrunk(scenario: Scenario, fails: (scenario: Scenario) => boolean): Scenario {
  let best = scenario;
  let tries = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of candidates(best)) {
      if (tries >= triesMax) return best;
      tries += 1;
      if (!fails(candidate)) continue;
      best = candidate;
      isSmaller = true;
      break;
    }
  }
  return best;
}

/** Scenarios that are a little smaller, those first that leave out most. */
function* candidates(scenario: Scenario): Generator<Scenario> {
  const { agents, chaosMs, clients, faults, jobs, wire } = scenario;
  if (wire !== noWireFaults) yield { ...scenario, wire: noWireFaults };
  for (const kept of without(faults)) yield { ...scenario, faults: kept };
  for (const kept of without(jobs)) if (kept.length > 0) yield { ...scenario, jobs: kept };
  // The first agent is the one that always comes back.
  for (const kept of without(agents.slice(1)))
    yield { ...scenario, agents: [...agents.slice(0, 1), ...kept] };
  for (const name of ['drop', 'duplicate', 'delay', 'overtake'] as const) {
    if (wire[name] > 0) yield { ...scenario, wire: { ...wire, [name]: 0 } };
  }
  for (const [at, job] of jobs.entries()) {
    const items = job.items >>> 1;
    const behaviours = new Map([...job.behaviours].filter(([index]) => index < items));
    if (items > 0) yield { ...scenario, jobs: jobs.with(at, { ...job, items, behaviours }) };
    for (const index of job.behaviours.keys()) {
      const fewer = new Map([...job.behaviours].filter(([other]) => other !== index));
      yield { ...scenario, jobs: jobs.with(at, { ...job, behaviours: fewer }) };
    }
  }
  if (clients.length > 1) {
    yield {
      ...scenario,
      clients: clients.slice(0, 1),
      jobs: jobs.map((job) => ({ ...job, client: 0 })),
    };
  }
  const lastMs = Math.max(0, ...faults.map(({ atMs }) => atMs));
  if (wire === noWireFaults && lastMs + 100 < chaosMs) yield { ...scenario, chaosMs: lastMs + 100 };
}

/** The list without one half, the other, each quarter, and so on down to single elements. */
function* without<T>(list: readonly T[]): Generator<T[]> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < list.length; from += size) {
      yield [...list.slice(0, from), ...list.slice(from + size)];
    }
  }
}
