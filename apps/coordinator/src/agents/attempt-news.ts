/** What an agent says of its attempts, in the words of the scheduler. */
import {
  type AttemptReport,
  Encoding,
  type FailedTry,
  FailureKind,
  type ItemAttempt,
  isFramed,
} from '@shoal/protocol';
import type { AttemptEnding, AttemptFact, ItemFailure } from '@shoal/scheduler';

/**
 * What cannot be true of a run of values; undefined where it can. Nothing is decoded. Of values in JavaScript's own
 * encoding only their reader knows more, and does not believe them either.
 */
export function lieOf(encoding: Encoding, count: number, payload: Uint8Array): string | undefined {
  // No encoding writes a value in less than a byte.
  if (payload.byteLength < count) return `${count} values in ${payload.byteLength} bytes`;
  const isFrames = encoding === Encoding.JSON || encoding === Encoding.BYTES;
  if (!isFrames || isFramed(payload, count)) return undefined;
  return `${count} values in ${payload.byteLength} bytes that are not framed`;
}

export function failureOf(agent: string, failed: FailedTry): ItemFailure {
  const { kind, retryable, attempt, stderrTail, error, summary } = failed;
  return {
    // A newer agent may know of more.
    kind: failureKinds[kind] ?? 'thrown',
    retryable,
    attempt: factOf(agent, attempt),
    ...(stderrTail === '' ? {} : { stderrTail }),
    bytes: error.byteLength + summary.length,
  };
}

/** One that is not known is the mildest: what was not run is run elsewhere. */
export function endingOf(agent: string, wire: NonNullable<AttemptReport['ended']>['ending']): AttemptEnding {
  switch (wire?.$case) {
    case 'finished':
    case 'unrunnable':
      return { kind: wire.$case };
    case 'childDied': {
      const { death, suspects, stderrTail } = wire.value;
      const tail = stderrTail === '' ? {} : { stderrTail };
      return { kind: 'childDied', death: { attempt: factOf(agent, death), ...tail }, suspects };
    }
    case 'returned':
      return { kind: 'returned', started: wire.value.started };
    default:
      return { kind: 'returned' };
  }
}

function factOf(agent: string, attempt: ItemAttempt | undefined): AttemptFact {
  return {
    agent,
    ...(attempt?.pid === undefined ? {} : { pid: attempt.pid }),
    ...(attempt?.exitCode === undefined ? {} : { exitCode: attempt.exitCode }),
    ...(attempt === undefined || attempt.signal === '' ? {} : { signal: attempt.signal }),
    ...(attempt?.ms === undefined ? {} : { ms: attempt.ms }),
    ...(attempt?.withItsServer === true ? { withItsServer: true } : {}),
  };
}

const failureKinds: Partial<Record<FailureKind, ItemFailure['kind']>> = {
  [FailureKind.THROWN]: 'thrown',
  [FailureKind.CRASH]: 'crash',
  [FailureKind.TIMEOUT]: 'timeout',
  [FailureKind.LOST]: 'lost',
};
