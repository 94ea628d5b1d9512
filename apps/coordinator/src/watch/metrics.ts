import { type AgentInfo, type GetStatusResponse, Isolation, type LimitName, limits } from '@shoal/protocol';
import { countedCodes } from './failed-calls.ts';

/** One metric of the text format of Prometheus. */
interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** With the labels of each, as they are written. */
  readonly values: readonly (readonly [labels: string, value: number])[];
}

/** The limits that are counted, each from the start on: a counter that appears when it is 1 shows no increase. */
const counted = (Object.keys(limits) as LimitName[]).filter(
  (name) => limits[name].metric === 'limits_reached',
);

/** Codes of failed calls: the known ones from the start on, and whatever else there was. */
const failed = (callsFailed: Readonly<Record<string, number>>): readonly string[] => [
  ...new Set([...countedCodes, ...Object.keys(callsFailed)]),
];

/** Those that make somebody wait, each from the start on. */
const waiting = (Object.keys(limits) as LimitName[]).filter((name) => limits[name].waiting !== undefined);

/** All levels, each from the start on; agents that are too old to say are of none. */
const isolations: readonly (readonly [level: string, Isolation])[] = [
  ['process', Isolation.PROCESS],
  ['permission', Isolation.PERMISSION],
  ['user', Isolation.USER],
  ['container', Isolation.CONTAINER],
];

/**
 * What a coordinator tells its monitoring, as text that Prometheus reads.
 *
 * No label is the name of a job, an agent or a client: there may be any number of them, and they are nobody's business.
 */
export function metricsText(status: GetStatusResponse, agents: readonly AgentInfo[]): string {
  return metrics(status, agents)
    .filter(({ values }) => values.length > 0)
    .flatMap(({ help, name, type, values }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...values.map(([labels, value]) => `${name}${labels} ${value}`),
    ])
    .concat('')
    .join('\n');
}

function metrics(status: GetStatusResponse, agents: readonly AgentInfo[]): Metric[] {
  const gauge = (name: string, help: string, value: number): Metric => ({
    name: `shoal_${name}`,
    type: 'gauge',
    help,
    values: [['', value]],
  });
  const counter = (name: string, help: string, value: number): Metric => ({
    ...gauge(`${name}_total`, help, value),
    type: 'counter',
  });
  const sum = (value: (agent: AgentInfo) => number): number =>
    agents.reduce((total, agent) => total + value(agent), 0);
  const { callsFailed, limitsReached, limitsWaiting, protection } = status;
  return [
    gauge('start_time_seconds', 'When the coordinator started, since 1970.', status.startedUnixMs / 1000),
    gauge('agents', 'Agents that are connected.', status.agents),
    {
      name: 'shoal_agents_isolated',
      type: 'gauge',
      help: 'Agents by how they keep processes apart (docs/isolation.md).',
      values: isolations.map(([level, isolation]) => [
        `{isolation="${level}"}`,
        agents.filter((agent) => agent.isolation === isolation).length,
      ]),
    },
    gauge('slots', 'Processes that they run at once.', status.slots),
    gauge('busy_slots', 'Slots that are busy.', status.busySlots),
    gauge('active_jobs', 'Jobs that are not over.', status.activeJobs),
    gauge('queued_items', 'Items that wait.', status.queuedItems),
    gauge('running_items', 'Items that run.', status.runningItems),
    counter('settled_items', 'Items with an outcome.', status.settledItems),
    gauge('held_bytes', 'Items and results in memory.', status.heldBytes),
    gauge('spilled_bytes', 'Items and results on the disk.', status.spilledBytes),
    gauge(
      'spooled_bytes',
      'Results that agents keep.',
      sum(({ stats }) => stats?.spooledBytes ?? 0),
    ),
    gauge(
      'agents_in_trouble',
      'Agents that cannot do some of their work.',
      sum(({ stats }) => Number((stats?.troubles ?? []).length > 0)),
    ),
    gauge('connections', 'Connections that are open.', status.connections),
    {
      name: 'shoal_limits_reached_total',
      type: 'counter',
      help: 'How often each limit of docs/limits.md was reached.',
      values: counted.map((limit) => [`{limit="${limit}"}`, limitsReached[limit] ?? 0]),
    },
    {
      name: 'shoal_calls_failed_total',
      type: 'counter',
      help: 'Calls that ended with an error, by its code in docs/errors.md; the two streams of an agent are two.',
      values: failed(callsFailed).map((code) => [`{code="${code}"}`, callsFailed[code] ?? 0]),
    },
    {
      name: 'shoal_limits_waiting',
      type: 'gauge',
      help: 'Jobs and calls that wait at this moment because of a limit of docs/limits.md.',
      values: waiting.map((limit) => [`{limit="${limit}"}`, limitsWaiting[limit] ?? 0]),
    },
    gauge(
      'insecure',
      'Whether others reach it and nothing protects it.',
      Number(protection?.insecure ?? false),
    ),
    {
      name: 'shoal_certificate_expires_timestamp_seconds',
      type: 'gauge',
      help: 'When certificates expire, since 1970; of agents the one that expires first.',
      values: expiries(status, agents).map(([of, ms]) => [`{of="${of}"}`, ms / 1000]),
    },
  ];
}

function expiries(
  { protection }: GetStatusResponse,
  agents: readonly AgentInfo[],
): readonly (readonly [string, number])[] {
  const ofAgents = agents.map((agent) => agent.certificateExpiresUnixMs).filter((ms) => ms > 0);
  const all: readonly (readonly [string, number])[] = [
    ['coordinator', protection?.certificateExpiresUnixMs ?? 0],
    ['authority', protection?.authorityExpiresUnixMs ?? 0],
    ['agents', ofAgents.length === 0 ? 0 : Math.min(...ofAgents)],
  ];
  return all.filter(([, ms]) => ms > 0);
}
