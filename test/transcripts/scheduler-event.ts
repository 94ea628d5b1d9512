import {
  type AttemptEnding,
  defaultRetries,
  type FailureKind,
  type JobSpec,
  type SchedulerEvent,
} from '@shoal/scheduler';
import type { Words } from './words.ts';

/** What happens to a scheduler, before it has a time. */
type Happening<E = SchedulerEvent> = E extends SchedulerEvent ? Omit<E, 'atMs'> : never;

/** How each event is written. The first word is its name in libs/scheduler/src/event.ts; bytes and times are optional. */
const notations: Readonly<{ [Type in SchedulerEvent['type']]: (words: Words) => Happening }> = {
  // jobCreated squares chunkSize=2 retries.crash=0 unordered
  jobCreated: (words) => ({ type: 'jobCreated', job: words.take('the job'), spec: specOf(words) }),
  // itemsPushed squares 4 bytes=400
  itemsPushed: (words) => {
    const [job, count] = [words.take('the job'), Number(words.take('how many items'))];
    return { type: 'itemsPushed', job, count, bytes: words.number('bytes') ?? count * 10 };
  },
  // inputEnded squares
  inputEnded: (words) => ({ type: 'inputEnded', job: words.take('the job') }),
  // resultsAcknowledged squares position=3
  resultsAcknowledged: (words) => ({
    type: 'resultsAcknowledged',
    job: words.take('the job'),
    position: must(words.number('position'), 'position'),
  }),
  // cancelRequested squares "changed my mind"
  cancelRequested: (words) => ({
    type: 'cancelRequested',
    job: words.take('the job'),
    reason: words.take('why'),
  }),
  // agentJoined a/2 slots=2 labels.gpu=1 encodings=json,bytes resumes=1 held.squares=#1,#2 keepsGroupSlots
  agentJoined: (words) => {
    const held = Object.entries(words.group('held')).flatMap(([job, attempts]) =>
      attempts.split(',').map((attempt) => ({ attempt: Number(attempt.slice(1)), job })),
    );
    return {
      type: 'agentJoined',
      ...words.takeSession(),
      slots: must(words.number('slots'), 'slots'),
      labels: words.group('labels'),
      ...encodingsOf(words.text('encodings')),
      held,
      ...(words.flag('keepsGroupSlots') ? { keepsGroupSlots: true } : {}),
      permanent: words.flag('permanent'),
      ...words.numbers('resumes'),
    };
  },
  // heartbeatReceived a/1 holds #1 #2
  heartbeatReceived: (words) => {
    const { session } = words.takeSession();
    if (!words.flag('holds')) throw new Error('a heartbeat says what its agent holds');
    return { type: 'heartbeatReceived', session, held: words.takeAttempts() };
  },
  // sessionClosed a/1 orderly
  sessionClosed: (words) => ({
    type: 'sessionClosed',
    session: words.takeSession().session,
    orderly: words.flag('orderly'),
  }),
  // drainRequested a untilResumed
  drainRequested: (words) => ({
    type: 'drainRequested',
    agent: words.take('the agent'),
    untilResumed: words.flag('untilResumed'),
  }),
  // resumeRequested a
  resumeRequested: (words) => ({ type: 'resumeRequested', agent: words.take('the agent') }),
  // slotsChanged a/1 slots=3
  slotsChanged: (words) => ({
    type: 'slotsChanged',
    session: words.takeSession().session,
    slots: must(words.number('slots'), 'slots'),
  }),
  // itemsSucceeded a/1 #1[0..2] runMs=30 bytes=300
  itemsSucceeded: (words) => {
    const { session } = words.takeSession();
    const { attempt, first, count } = words.takeAttemptItems();
    const [runMs, bytes] = [words.number('runMs') ?? count, words.number('bytes') ?? count * 10];
    return { type: 'itemsSucceeded', session, attempt, first, count, bytes, runMs };
  },
  // itemFailed a/1 #1[3] thrown pid=7
  itemFailed: (words) => {
    const { session } = words.takeSession();
    const { attempt, first: index, count } = words.takeAttemptItems();
    if (count !== 1) throw new Error('one item fails at a time');
    const kind = failureKindOf(words.take('thrown, crash or timeout'));
    const failure = { kind, retryable: !words.flag('notRetryable'), attempt: factOf(words) };
    return { type: 'itemFailed', session, attempt, index, failure };
  },
  // protocolBroken a/1 "it reports 9 values in 1 byte"
  protocolBroken: (words) => ({
    type: 'protocolBroken',
    session: words.takeSession().session,
    reason: words.take('what it said'),
  }),
  // attemptEnded a/1 #1 childDied suspects=[3..5] pid=7 signal=SIGSEGV
  attemptEnded: (words) => ({
    type: 'attemptEnded',
    session: words.takeSession().session,
    attempt: words.takeAttempt(),
    ending: endingOf(words),
  }),
  // stallObserved stalledMs=14000
  stallObserved: (words) => ({
    type: 'stallObserved',
    stalledMs: must(words.number('stalledMs'), 'stalledMs'),
  }),
  // clockTicked
  clockTicked: () => ({ type: 'clockTicked' }),
};

/** The names of all events. */
export const schedulerEventTypes = Object.keys(notations);

/** The event that a step writes down. */
export function schedulerEventOf(type: string, words: Words): Happening {
  const read = Object.entries(notations).find(([name]) => name === type)?.[1];
  if (read === undefined) throw new Error(`${type} is no event of the scheduler`);
  return read(words);
}

/** An agent that says nothing takes everything. */
const encodingsOf = (list: string | undefined): { readonly encodings?: readonly string[] } =>
  list === undefined ? {} : { encodings: list.split(',') };

/** A job as transcripts want it where they say nothing else: one item a shard, in order, no limits in sight. */
function specOf(words: Words): JobSpec {
  const chunkSize = words.text('chunkSize') ?? '1';
  const encoding = words.text('encoding');
  const { id = 'caller', processes } = words.group('group');
  const retries = words.group('retries');
  const budget = (kind: FailureKind): number => Number(retries[kind] ?? defaultRetries[kind]);
  return {
    priority: words.number('priority') ?? 0,
    labels: words.group('labels'),
    ...(encoding === undefined ? {} : { encoding }),
    chunkSize: chunkSize === 'auto' ? chunkSize : Number(chunkSize),
    group: { id, processes: processes === undefined ? Number.POSITIVE_INFINITY : Number(processes) },
    retries: {
      thrown: budget('thrown'),
      crash: budget('crash'),
      timeout: budget('timeout'),
      lost: budget('lost'),
    },
    ordered: !words.flag('unordered'),
    failFast: words.flag('failFast'),
    pure: words.flag('pure'),
    marksStarts: words.flag('marksStarts'),
    windowItems: words.number('windowItems') ?? 100,
    windowBytes: words.number('windowBytes') ?? 1_000_000,
    ...words.numbers('totalItems', 'concurrentTasks', 'deadlineAtMs'),
  };
}

function endingOf(words: Words): AttemptEnding {
  const kind = words.take('how it ended');
  switch (kind) {
    case 'finished':
    case 'unrunnable':
      return { kind };
    case 'returned': {
      const started = words.ranges('started');
      return started === undefined ? { kind } : { kind, started };
    }
    case 'childDied':
      return { kind, suspects: words.ranges('suspects') ?? [], death: { attempt: factOf(words) } };
    default:
      throw new Error(`${kind} is no ending: finished, childDied, returned, unrunnable`);
  }
}

function failureKindOf(word: string): FailureKind {
  if (word === 'thrown' || word === 'crash' || word === 'timeout' || word === 'lost') return word;
  throw new Error(`${word} is no kind of failure: thrown, crash, timeout, lost`);
}

function factOf(words: Words) {
  const signal = words.text('signal');
  return { ...words.numbers('pid', 'exitCode', 'ms'), ...(signal === undefined ? {} : { signal }) };
}

function must<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`${name}=… is missing`);
  return value;
}
