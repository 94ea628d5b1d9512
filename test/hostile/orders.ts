import { serialize } from 'node:v8';
import { ControlResponse, DataResponse, Encoding, RevokeReason } from '@shoal/protocol';
import { messageBytes } from './message-bytes.ts';

/** Of one attempt: it takes so long for each of its items. */
const itemMs = 20;
const itemsPerAttempt = 4;
/** Attempts of a session that are handed out as they should be. */
const attemptsAtFirst = 3;
/** An attempt has its number once in an epoch. */
const attemptsPerSession = 1_000;

const task = {
  name: 'wait',
  function: {
    $case: 'inlineSource',
    value: '(ms) => new Promise((resolve) => setTimeout(resolve, ms, ms))',
  },
};
const options = {
  encoding: Encoding.V8,
  chunkSize: itemsPerAttempt,
  retries: { thrown: 1 },
  labels: { a: 'b' },
};
const setup = { env: { A: 'B' } };
const jobOf = (session: number): string => `job-${session}`;
const block = (first: number) => ({
  first,
  count: itemsPerAttempt,
  payload: serialize(Array.from({ length: itemsPerAttempt }, () => itemMs)),
});

function workOf(session: number, at: number): Buffer {
  const jobId = jobOf(session);
  const first = at * itemsPerAttempt;
  const attempt = session * attemptsPerSession + at + 1;
  return dataBytes({
    setups: [{ jobId, task, options, setup }],
    blocks: [{ jobId, blocks: [block(first)] }],
    dispatches: [{ attempt, jobId, first, count: itemsPerAttempt, marksStarts: true, tryNumber: 1 }],
  });
}

/** Work as a coordinator gives it: some attempts at the items of a job. */
export function trueWork(session: number): readonly Buffer[] {
  return Array.from({ length: attemptsAtFirst }, (_, at) => workOf(session, at));
}

/** More of it, for the data stream. */
export function moreWork(session: number, at: number): readonly Buffer[] {
  const jobId = jobOf(session);
  const next = attemptsAtFirst + at;
  return [
    workOf(session, next),
    dataBytes({
      takenSequence: 1,
      blocks: [{ jobId, blocks: [{ ...block(4), more: true, totalBytes: 90 }] }],
    }),
    dataBytes({ forgetBlocks: [{ jobId, before: 4 }] }),
    dataBytes({ forgetJobIds: [jobId] }),
  ];
}

/** What is said on the control stream in the middle of a session. */
export function words(session: number, at: number): readonly Buffer[] {
  const attempt = session * attemptsPerSession + 1;
  const all: NonNullable<ControlResponse['message']>[] = [
    {
      $case: 'heartbeatAnswer',
      value: { sequence: at, drop: [attempt], heartbeatMs: 100, leaseMs: 10_000 },
    },
    { $case: 'revoke', value: { attempt, reason: RevokeReason.CANCELLED } },
    { $case: 'recall', value: { attempt: attempt + 1 } },
    { $case: 'drain', value: {} },
    { $case: 'resume', value: {} },
    { $case: 'forgetGroups', value: { groupIds: ['group'] } },
  ];
  return all.map(controlBytes);
}

export const controlBytes = (message: NonNullable<ControlResponse['message']>): Buffer =>
  messageBytes(ControlResponse, { message });

const dataBytes = (response: object): Buffer => messageBytes(DataResponse, response);
