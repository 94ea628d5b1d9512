import { catalogue, durationText, type ErrorCode, type Facts, timesText } from '@shoal/errors';
import { errorOf, FailureKind, type ItemAttempt, type ItemFailure, writeFacts } from '@shoal/protocol';
import type { AttemptFact, KeepFailure, FailureKind as Kind } from '@shoal/scheduler';

/** What an agent sent about a try that failed, beyond what the scheduler has to know. */
export interface TriedPayload {
  readonly code: string;
  /** The error as the child encoded it. */
  readonly error: Uint8Array;
  /** The same in a line. */
  readonly summary: string;
  /** What the agent alone knows, such as the size of a result that is too large. */
  readonly facts: Readonly<Record<string, string>>;
}

const codes: Readonly<Record<Kind, ErrorCode>> = {
  thrown: 'ITEM_THREW',
  crash: 'ITEM_KILLED_CHILD',
  timeout: 'ITEM_TIMED_OUT',
  lost: 'ITEM_LOST',
};

const kinds: Readonly<Record<Kind, FailureKind>> = {
  thrown: FailureKind.THROWN,
  crash: FailureKind.CRASH,
  timeout: FailureKind.TIMEOUT,
  lost: FailureKind.LOST,
};

const noBytes = new Uint8Array();
const summaryCharsMax = 1_000;

/** A failure that stands, as clients are told: its code, every try, and what was thrown. */
export function finalFailure(
  { index, failure }: Pick<KeepFailure, 'index' | 'failure'>,
  tried: TriedPayload | undefined,
): ItemFailure {
  const { kind, attempts, stderrTail } = failure;
  return {
    index,
    // The last try decides: an item that was lost once and then threw is one that threw.
    code: tried === undefined || tried.code === '' ? codes[kind] : tried.code,
    kind: kinds[kind],
    attempts: attempts.map(wireAttempt),
    facts: { ...tried?.facts },
    error: tried?.error ?? noBytes,
    summary: tried?.summary ?? '',
    stderrTail: stderrTail ?? '',
  };
}

/** What the catalogue's message of a failure is made of, where nobody has decoded the error. */
export function failureFacts({ index, attempts, facts, summary }: ItemFailure, timeoutMs: number): Facts {
  const places = attempts.map(place).filter((text) => text !== '');
  return {
    index,
    reason: summary,
    where: [...new Set(places)].join(', ') || 'no agent',
    deaths: timesText(Math.max(1, attempts.length)),
    losses: timesText(Math.max(1, attempts.length)),
    limit: durationText(timeoutMs),
    ...facts,
  };
}

/**
 * A failure for a client that has no catalogue: with the facts of its message, and where nothing was thrown the message
 * itself is the summary.
 */
export function explainedFailure(failure: ItemFailure, timeoutMs: number): ItemFailure {
  const code = Object.values(codes).find((known) => known === failure.code);
  // What else can be wrong with an item or a result comes with its own words.
  if (code === undefined) return failure;
  const facts = failureFacts(failure, timeoutMs);
  const { message } = catalogue[code];
  const named = Object.entries(facts).filter(([name]) => message.includes(`{${name}}`));
  return {
    ...failure,
    facts: writeFacts(Object.fromEntries(named)),
    summary: failure.summary || errorOf(code, facts).message.slice(0, summaryCharsMax),
  };
}

function wireAttempt({ agent, pid, exitCode, signal, ms, withItsServer }: AttemptFact): ItemAttempt {
  return {
    agent: agent ?? '',
    pid,
    exitCode,
    signal: signal ?? '',
    ms,
    withItsServer: withItsServer === true,
  };
}

/** `agent-1 pid 4711 (SIGSEGV)` */
function place({ agent, pid, exitCode, signal, withItsServer }: ItemAttempt): string {
  const own = signal !== '' ? signal : exitCode === undefined ? '' : `exit code ${exitCode}`;
  const end = withItsServer ? `${own} with its fork server` : own;
  return [agent, pid === undefined ? '' : `pid ${pid}`, end === '' ? '' : `(${end})`]
    .filter((part) => part !== '')
    .join(' ');
}
