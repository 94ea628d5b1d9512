import { specOf } from './scheduler.testkit.ts';
import { Scheduler } from './scheduler.ts';

/** The text of docs/cluster-size.md up to what the bench printed. */
export function clusterSizeTable(): string {
  const rows = [10, 500, 1_000, 2_000, 5_000].map((agents) => {
    const { heartbeatMs } = schedulerOf(agents).timing();
    const silent = firstNote('agentLost', schedulerOf(agents));
    const disconnected = firstNote('agentLost', schedulerOf(agents), 'one is disconnected');
    const unlisted = firstNote('dispatchUnconfirmed', schedulerOf(agents), 'one is given an item');
    return [
      agents.toLocaleString('en-US'),
      seconds(heartbeatMs),
      Math.round((agents * 1000) / heartbeatMs).toLocaleString('en-US'),
      seconds(disconnected),
      seconds(silent),
      seconds(unlisted),
    ];
  });
  const head = [
    'agents',
    'each beats every',
    'beats a second',
    'connection closed',
    'silence',
    'dispatch that got lost',
  ];
  return [head, head.map(() => '--:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function schedulerOf(agents: number): Scheduler {
  const scheduler = new Scheduler();
  for (let agent = 1; agent <= agents; agent += 1) {
    const join = { type: 'agentJoined', slots: 1, labels: {}, held: [], permanent: false } as const;
    scheduler.step({ ...join, atMs: 0, agent: `agent-${agent}`, session: agent });
  }
  return scheduler;
}

/** When the scheduler says this, if nobody says anything to it. */
function firstNote(
  what: 'agentLost' | 'dispatchUnconfirmed',
  scheduler: Scheduler,
  before: 'one is disconnected' | 'one is given an item' | 'nothing happens' = 'nothing happens',
): number {
  if (before === 'one is disconnected') {
    scheduler.step({ type: 'sessionClosed', atMs: 0, session: 1, orderly: false });
  } else if (before === 'one is given an item') {
    scheduler.step({ type: 'jobCreated', atMs: 0, job: 'job', spec: specOf() });
    scheduler.step({ type: 'itemsPushed', atMs: 0, job: 'job', count: 1, bytes: 1 });
  }
  for (;;) {
    const atMs = scheduler.nextDeadlineMs() as number;
    const commands = scheduler.step({ type: 'clockTicked', atMs });
    if (commands.some((command) => command.type === 'note' && command.note.what === what)) return atMs;
  }
}

const seconds = (ms: number): string => `${ms / 1000} s`;
