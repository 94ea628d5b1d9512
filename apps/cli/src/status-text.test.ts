import { AgentInfo, AgentState, GetStatusResponse, JobInfo, JobState } from '@shoal/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { statusRecord, statusText } from './status-text.ts';

test('a job says why it waits, and what second attempts came to', () => {
  const job = (jobId: string, progress: Partial<NonNullable<JobInfo['progress']>>): JobInfo =>
    JobInfo.fromPartial({ jobId, task: 'f', progress });
  const text = statusText({
    address: '127.0.0.1:7300',
    cluster: GetStatusResponse.fromPartial({ speculatedItems: 5, speculationWins: 3 }),
    agents: [],
    jobs: [
      job('job-1', {}),
      job('job-2', { waitingFor: 'all slots busy' }),
      job('job-3', { waitingFor: 'waits for its input' }),
      job('job-4', { speculated: 5, speculationWins: 3 }),
      job('job-5', { heldBy: 'windowBytes (32 MiB)' }),
      job('job-6', { waitingFor: 'paused by its consumer', heldBy: 'windowItems (64 items)' }),
    ],
  });
  expect(text).toContain('second attempts at 5 items that lagged; 3 came first\n');
  expect(
    text
      .trim()
      .split('\n')
      .slice(-6)
      .map((line) => line.replace(/^(job-\d) .* \? +/, '$1 ')),
  ).toEqual([
    'job-1 running',
    'job-2 waits: all slots busy',
    'job-3 waits for its input',
    'job-4 running, 3 of 5 second attempts came first',
    'job-5 running, its input held by windowBytes (32 MiB)',
    'job-6 waits: paused by its consumer, its input held by windowItems (64 items)',
  ]);
});

test.each([
  [0, '0 items wait'],
  [1, '1 item waits'],
  [1_200, '1,200 items wait'],
])('of %i queued items it says %s', (queuedItems, said) => {
  const cluster = GetStatusResponse.fromPartial({ queuedItems });
  const text = statusText({ address: '127.0.0.1:7300', cluster, agents: [], jobs: [] });
  expect(text).toMatch(new RegExp(`jobs, ${said}\\n`));
});

test('slots that are free and cannot be had are told apart', () => {
  const agent = (state: AgentState, slots: number, busySlots: number): AgentInfo =>
    AgentInfo.fromPartial({ name: `a-${state}`, state, slots, busySlots });
  const first = (agents: AgentInfo[], slots: number, busySlots: number): string | undefined =>
    statusText({
      address: '127.0.0.1:7300',
      cluster: GetStatusResponse.fromPartial({ agents: agents.length, slots, busySlots }),
      agents,
      jobs: [],
    }).split('\n')[0];
  const live = agent(AgentState.READY, 2, 2);
  expect(first([live], 2, 2)).toContain('1 agent, 2 of 2 slots busy, 0 jobs');
  expect(first([live, agent(AgentState.DRAINING, 1, 0)], 3, 2)).toContain(
    '2 of 3 slots busy (1 gets no work), 0 jobs',
  );
  expect(first([agent(AgentState.QUARANTINED, 4, 1)], 4, 1)).toContain(
    '1 of 4 slots busy (3 get no work), 0 jobs',
  );
});

test('for programs states are words too', () => {
  const agent = AgentInfo.fromPartial({ name: 'a', state: AgentState.QUARANTINED });
  const job = JobInfo.fromPartial({ jobId: 'job-1', state: JobState.FAILED_FAST });
  const cluster = GetStatusResponse.fromPartial({});
  expect(statusRecord({ address: '127.0.0.1:7300', cluster, agents: [agent], jobs: [job] })).toMatchObject({
    agents: [{ name: 'a', state: 'quarantined' }],
    jobs: [{ jobId: 'job-1', state: 'failed_fast' }],
  });
});

test('limits that were reached are told, and nothing where none was', () => {
  const text = (limitsReached: Record<string, number>, limitsWaiting: Record<string, number> = {}): string =>
    statusText({
      address: '127.0.0.1:7300',
      cluster: GetStatusResponse.fromPartial({ limitsReached, limitsWaiting }),
      agents: [],
      jobs: [],
    });
  expect(text({ jobs: 1, connections: 1_200 })).toContain(
    'limits reached (docs/limits.md): connections 1,200 times, jobs once\n',
  );
  expect(text({ keepaliveMs: 5, partBytes: 5 }), 'reached where all is well').not.toContain('limits');
  expect(text({}, { windowBytes: 2, streamWindowBytes: 1, windowItems: 1 })).toContain(
    'held by limits now: streamWindowBytes 1 call, windowBytes 2 jobs, windowItems 1 job\n',
  );
  expect(text({})).not.toContain('limits');
});

test.each([
  ['its own certificate', 1, 90, /until 2026-01-02: run shoal certs init/],
  ['the authority', 1, 1, /until 2026-01-02: .*make a new one/],
  ['nothing', 90, 90, /until 2026-04-01\n/],
])('a week before %s ends, what helps is told', (_, certificateDays, authorityDays, line) => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
  onTestFinished(() => void vi.useRealTimers());
  const inDays = (days: number): number => Date.now() + days * 86_400_000;
  const protection = {
    encrypted: true,
    certificateExpiresUnixMs: inDays(certificateDays),
    authorityExpiresUnixMs: inDays(authorityDays),
  };
  const cluster = GetStatusResponse.fromPartial({ protection });
  expect(statusText({ address: '10.0.0.5:7300', cluster, agents: [], jobs: [] })).toMatch(line);
});
