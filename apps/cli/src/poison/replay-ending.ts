import { durationText, type ItemError, shownText } from '@shoal/errors';
import { onOneLine } from '../complaint.ts';

/**
 * How an item ended that was run once more: `shoal: CODE: how`, one line whatever its function has thrown. Below it, where
 * it threw, the stack, each line of it indented: none can pass for a line of ours.
 *
 * Worded anew: the error's own message speaks of a job with other items.
 */
export function replayEnding(error: ItemError, index: number, timeoutMs: number | undefined): string {
  const { cause, code } = error;
  const line = onOneLine(`shoal: ${code}: ${how(error, index, timeoutMs)}`);
  const stack = code === 'ITEM_THREW' && cause instanceof Error ? framesOf(cause) : [];
  return [line, ...stack].join('\n');
}

function how(error: ItemError, index: number, timeoutMs: number | undefined): string {
  const { code, attempts, cause, pid } = error;
  switch (code) {
    case 'ITEM_KILLED_CHILD': {
      const last = attempts.at(-1);
      return `item ${index} killed its process (${last?.signal ?? `exit code ${last?.exitCode}`}, pid ${pid}).`;
    }
    case 'ITEM_TIMED_OUT':
      return `item ${index} ran longer than ${durationText(timeoutMs ?? 0)} (pid ${pid}).`;
    case 'ITEM_THREW':
      return `item ${index} threw ${shownText(String(cause))}`;
    default:
      return error.message;
  }
}

/** The lines of a stack, without the message that stands above them where it was told already. */
function framesOf(error: Error): string[] {
  const { stack = '' } = error;
  const told = String(error);
  const rest = stack.startsWith(told) ? stack.slice(told.length) : stack;
  return shownText(rest)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => `    ${line.trimStart()}`);
}
