import { ShoalError } from '@shoal/errors';
import { type DataRequest, DataResponse, type Dispatch, JobSetup } from '@shoal/protocol';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AgentDriver } from './agent-driver.ts';
import type { AgentLog } from './agent-log.ts';
import { settleConfig } from './config.ts';
import { AgentMachine } from './core/index.ts';
import type { Link, LinkListener } from './link.ts';
import { returned } from './news/attempt-report.ts';
import { NewsShelf } from './news/news-shelf.ts';
import { PrintShelf } from './news/print-shelf.ts';
import type { SetupShelf } from './setup-shelf.ts';
import type { ShardRunner } from './shard-runner.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A driver of which every part writes down what it is told. */
function drivenAgent() {
  const done: string[] = [];
  const sent: DataRequest[] = [];
  let listener: LinkListener | undefined;
  const ended: (ShoalError | undefined)[] = [];
  const prints = new PrintShelf(1_000, () => driver.happened({ type: 'printsArrived' }));
  const link = {
    join: ({ held }) => done.push(`join ${held.map(({ attempt }) => attempt)}`),
    heartbeat: (sequence, held, { troubles }) => done.push(`heartbeat ${sequence} [${held}] ${troubles}`),
    announceDrain: () => done.push('announceDrain'),
    openData: (session, epoch) => done.push(`openData ${session} ${epoch}`),
    requestSend: () => done.push('requestSend'),
    send: (batch) => sent.push(batch),
    finishData: () => done.push('finishData'),
    leave: () => done.push('leave'),
    cut: () => done.push('cut'),
  } satisfies Partial<Link>;
  const setups = {
    prepare: (setup, job) => done.push(`prepare ${setup} of ${job?.jobId}`),
    addBlock: (job, { first, broadcastSha256 }) => {
      done.push(`block ${job} ${first}`);
      return broadcastSha256.length > 0;
    },
    forgetBlocks: ([forgotten]) => done.push(`forgetBlocks before ${forgotten?.before}`),
    close: (job) => done.push(`close ${job}`),
    keepWork: ({ attempt }) => done.push(`keepWork ${attempt}`),
    dropWork: (_setup, attempt) => done.push(`dropWork ${attempt}`),
    release: (setup) => done.push(`release ${setup}`),
  } satisfies Partial<{ [Name in keyof SetupShelf]: (...args: Parameters<SetupShelf[Name]>) => unknown }>;
  const runner = {
    start: ({ chunk, attempt }) => done.push(`start ${chunk} of ${attempt}`),
    abort: ({ chunk, graceMs }) => done.push(`abort ${chunk} in ${graceMs}`),
    holdStarts: (held) => done.push(`holdStarts ${held}`),
    stats: () => ({}),
  } satisfies Partial<{ [Name in keyof ShardRunner]: (...args: Parameters<ShardRunner[Name]>) => unknown }>;
  const driver = new AgentDriver({
    machine: new AgentMachine({ instance: 'life-1', seed: 1 }),
    config: settleConfig({ join: 'here:1', log: pino({ level: 'silent' }) }),
    runner: runner as unknown as ShardRunner,
    setups: setups as unknown as SetupShelf,
    news: new NewsShelf(),
    prints,
    troubles: () => ['no room'],
    log: { note: () => {}, ended: () => {} } as unknown as AgentLog,
    dial: (heard) => {
      listener = heard;
      done.push('dial');
      return link as unknown as Link;
    },
    onJoined: () => done.push('joined'),
    onEnd: (error) => ended.push(error),
  });
  const hears = (): LinkListener => {
    if (listener === undefined) throw new Error('nothing was dialled');
    return listener;
  };
  const joins = (): void => {
    driver.happened({ type: 'started' });
    const timing = { heartbeatMs: 2_000, leaseMs: 10_000, selfFenceMs: 8_000, abandonMs: 60_000 };
    hears().happened({ type: 'joined', session: 7, epoch: 3, drop: [], ...timing });
  };
  /** What was done since the last look. */
  const lately = (): string[] => done.splice(0);
  return { driver, hears, joins, lately, sent, ended, prints };
}

const dispatch = (attempt: number): Dispatch => ({
  attempt,
  jobId: 'job-1',
  first: 0,
  count: 1,
  marksStarts: false,
  tryNumber: 1,
  groupSlots: 0,
});

test('a session begins with a join; jobs of the last one are closed before data comes', () => {
  const { joins, lately } = drivenAgent();
  joins();
  expect(lately()).toEqual([
    'dial',
    'join ',
    'close undefined',
    'openData 7 3',
    'joined',
    'heartbeat 1 [] no room',
  ]);
});

test('the clock of the machine runs: heartbeats, and the fence when none is answered', () => {
  const { joins, lately } = drivenAgent();
  joins();
  lately();
  vi.advanceTimersByTime(8_000);
  expect(lately()).toEqual([
    'heartbeat 2 [] no room',
    'heartbeat 3 [] no room',
    'heartbeat 4 [] no room',
    'holdStarts true',
    'heartbeat 5 [] no room',
  ]);
});

test('a data message is taken field by field in its order', () => {
  const { driver, joins, hears, lately } = drivenAgent();
  joins();
  lately();
  hears().received(
    DataResponse.fromPartial({
      setups: [JobSetup.fromPartial({ jobId: 'job-1' })],
      blocks: [{ jobId: 'job-1', blocks: [{ first: 0 }, { first: 1, broadcastSha256: ['aa'] }] }],
      dispatches: [dispatch(4)],
      forgetBlocks: [{ jobId: 'job-1', before: 1 }],
      forgetJobIds: ['job-1'],
    }),
  );
  expect(lately()).toEqual([
    'prepare 1 of job-1',
    'block job-1 0',
    'block job-1 1',
    'keepWork 4',
    'forgetBlocks before 1',
    'close job-1',
  ]);
  driver.happened({ type: 'setupPrepared', setup: 1 });
  expect(lately()).toEqual(['start 1 of 4']);
});

test('what an event brings is kept under the number that the machine gives it, and sent', () => {
  const { driver, joins, hears, lately, sent, prints } = drivenAgent();
  joins();
  hears().received(DataResponse.fromPartial({ setups: [{ jobId: 'job-1' }], dispatches: [dispatch(4)] }));
  driver.happened({ type: 'setupPrepared', setup: 1 });
  driver.happened({ type: 'chunkEnded', chunk: 1 }, { news: { ended: returned } });
  prints.add('job-1', { stream: 1, agent: '', pid: 7, index: 0, task: 'f', text: 'hello' });
  expect(lately().at(-1)).toBe('requestSend');
  hears().happened({ type: 'sendGranted' });
  expect(sent).toMatchObject([
    { sequence: 1, reports: [{ attempt: 4, ended: returned }], prints: [{ jobId: 'job-1' }] },
  ]);
});

test('the error that no further try could help is what the agent ends with', () => {
  const { driver, hears, ended } = drivenAgent();
  driver.happened({ type: 'started' });
  const error = new ShoalError('VERSION_MISMATCH', { versions: 'this and that', outdated: 'this' });
  hears().happened({ type: 'linkLost', code: error.code }, error);
  expect(ended).toEqual([error]);
});

test('asked to end, it ends without an error, and its clock stops', () => {
  const { driver, joins, ended, lately } = drivenAgent();
  joins();
  driver.happened({ type: 'stopRequested', drain: false });
  expect([ended, lately().at(-1)]).toEqual([[undefined], 'cut']);
  vi.advanceTimersByTime(100_000);
  expect(lately()).toEqual([]);
});
