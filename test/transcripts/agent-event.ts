import type { AgentEvent, SessionEndReason } from '@shoal/node-agent/core';
import type { Words } from './words.ts';

/** What happens to an agent, before it has a time. */
type Happening<E = AgentEvent> = E extends AgentEvent ? Omit<E, 'atMs'> : never;

/** What a coordinator says where a transcript says nothing else: the numbers of the delivery contract. */
const usual = { heartbeatMs: 2_000, leaseMs: 10_000, selfFenceMs: 8_000, abandonMs: 60_000 };

/** How each event is written. The first word is its name in apps/node-agent/src/core/agent-event.ts. */
const notations: Readonly<{ [Type in AgentEvent['type']]: (words: Words) => Happening }> = {
  // started
  started: () => ({ type: 'started' }),
  // stopRequested drain
  stopRequested: (words) => ({ type: 'stopRequested', drain: words.flag('drain') }),
  // linkLost link-1 CONNECTION_LOST
  linkLost: (words) => ({
    type: 'linkLost',
    link: words.takeNumbered('link'),
    code: words.take('the code of an error'),
  }),
  // joined link-1 session=1 epoch=7 drops #3
  joined: (words) => ({
    type: 'joined',
    link: words.takeNumbered('link'),
    ...usual,
    ...words.numbers('heartbeatMs', 'leaseMs', 'selfFenceMs', 'abandonMs'),
    session: words.number('session') ?? 1,
    epoch: words.number('epoch') ?? 1,
    drop: dropsOf(words),
  }),
  // heartbeatAnswered link-1 sequence=2 drops #3
  heartbeatAnswered: (words) => ({
    type: 'heartbeatAnswered',
    link: words.takeNumbered('link'),
    sequence: sequenceOf(words),
    heartbeatMs: words.number('heartbeatMs') ?? 0,
    leaseMs: words.number('leaseMs') ?? 0,
    drop: dropsOf(words),
  }),
  // attemptRevoked link-1 #3
  attemptRevoked: (words) => ({
    type: 'attemptRevoked',
    link: words.takeNumbered('link'),
    attempt: words.takeAttempt(),
  }),
  // attemptRecalled link-1 #3
  attemptRecalled: (words) => ({
    type: 'attemptRecalled',
    link: words.takeNumbered('link'),
    attempt: words.takeAttempt(),
  }),
  // sessionEnded link-1 superseded
  sessionEnded: (words) => ({
    type: 'sessionEnded',
    link: words.takeNumbered('link'),
    reason: reasonOf(words.take('why')),
  }),
  // batchesTaken link-1 sequence=1
  batchesTaken: (words) => ({
    type: 'batchesTaken',
    link: words.takeNumbered('link'),
    sequence: sequenceOf(words),
  }),
  // jobAnnounced link-1 squares
  jobAnnounced: (words) => ({
    type: 'jobAnnounced',
    link: words.takeNumbered('link'),
    job: words.take('the job'),
  }),
  // jobGrown link-1 squares
  jobGrown: (words) => ({
    type: 'jobGrown',
    link: words.takeNumbered('link'),
    job: words.take('the job'),
  }),
  // jobForgotten link-1 squares
  jobForgotten: (words) => ({
    type: 'jobForgotten',
    link: words.takeNumbered('link'),
    job: words.take('the job'),
  }),
  // attemptDispatched link-1 #3 squares[0..9] try=2 marksStarts groupSlots=1
  attemptDispatched: (words) => ({
    type: 'attemptDispatched',
    link: words.takeNumbered('link'),
    attempt: words.takeAttempt(),
    ...words.takeJobItems(),
    tryNumber: words.number('try') ?? 1,
    marksStarts: words.flag('marksStarts'),
    groupSlots: words.number('groupSlots') ?? 0,
  }),
  // sendGranted link-1
  sendGranted: (words) => ({ type: 'sendGranted', link: words.takeNumbered('link') }),
  // dataFinished link-1
  dataFinished: (words) => ({ type: 'dataFinished', link: words.takeNumbered('link') }),
  // controlRoomChanged link-1 full
  controlRoomChanged: (words) => ({
    type: 'controlRoomChanged',
    link: words.takeNumbered('link'),
    hasRoom: !words.flag('full'),
  }),
  // setupPrepared setup-1
  setupPrepared: (words) => ({ type: 'setupPrepared', setup: words.takeNumbered('setup') }),
  // setupFailed setup-1 retryable
  setupFailed: (words) => ({
    type: 'setupFailed',
    setup: words.takeNumbered('setup'),
    retryable: words.flag('retryable'),
  }),
  // chunkRefused chunk-1 retryable
  chunkRefused: (words) => ({
    type: 'chunkRefused',
    chunk: words.takeNumbered('chunk'),
    retryable: words.flag('retryable'),
  }),
  // itemsSucceeded chunk-1[0..9] bytes=100
  itemsSucceeded: (words) => {
    const { number: chunk, first, count } = words.takeNumberedItems('chunk');
    return { type: 'itemsSucceeded', chunk, first, count, bytes: words.number('bytes') ?? count * 10 };
  },
  // itemFailed chunk-1[3] bytes=100
  itemFailed: (words) => {
    const { number: chunk, first: index, count } = words.takeNumberedItems('chunk');
    if (count !== 1) throw new Error('one item fails at a time');
    return { type: 'itemFailed', chunk, index, bytes: words.number('bytes') ?? 10 };
  },
  // chunkEnded chunk-1
  chunkEnded: (words) => ({ type: 'chunkEnded', chunk: words.takeNumbered('chunk') }),
  // printsArrived
  printsArrived: () => ({ type: 'printsArrived' }),
  // clockTicked
  clockTicked: () => ({ type: 'clockTicked' }),
};

/** The names of all events. */
export const agentEventTypes = Object.keys(notations);

/** The event that a step writes down. */
export function agentEventOf(type: string, words: Words): Happening {
  const read = Object.entries(notations).find(([name]) => name === type)?.[1];
  if (read === undefined) throw new Error(`${type} is no event of an agent`);
  return read(words);
}

const dropsOf = (words: Words): number[] => (words.flag('drops') ? words.takeAttempts() : []);

function sequenceOf(words: Words): number {
  const sequence = words.number('sequence');
  if (sequence === undefined) throw new Error('sequence=… is missing');
  return sequence;
}

function reasonOf(word: string): SessionEndReason {
  const reasons: readonly SessionEndReason[] = ['superseded', 'silent', 'drained', 'shutdown', 'unsaid'];
  const reason = reasons.find((each) => each === word);
  if (reason === undefined) throw new Error(`${word} is no reason: ${reasons.join(', ')}`);
  return reason;
}
