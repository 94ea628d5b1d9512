import type { Outcome, ResultRun } from '@shoal/protocol';
import type { OutcomeShape } from './core/index.ts';

/** What an outcome is, without its bytes. One that is neither of the two does not fit anywhere. */
export function outcomeShape({ outcome }: Outcome): OutcomeShape {
  if (outcome?.$case === 'run') {
    const { count, first, more } = outcome.value;
    return { kind: 'run', first, count, more };
  }
  return { kind: 'failure', index: outcome?.value.index ?? 0 };
}

/** A run, its earlier parts before its last one. */
export function wholeRun(parts: readonly Uint8Array[], last: ResultRun): ResultRun {
  return parts.length === 0 ? last : { ...last, payload: Buffer.concat([...parts, last.payload]) };
}
