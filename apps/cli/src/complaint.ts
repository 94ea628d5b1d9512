import { ItemError, ShoalError, shownText } from '@shoal/errors';
import { type FlagNames, noFlags } from './flag-names.ts';
import type { Terminal } from './terminal.ts';

/**
 * Says on stderr what went wrong: one line, `shoal: CODE: what happened and what to do`.
 *
 * A stack helps nobody who uses the command; `SHOAL_DEBUG=1` shows it to those who work on it.
 */
export function complain(terminal: Terminal, error: unknown, flags: FlagNames = noFlags): void {
  terminal.stderr.write(`${complaint(error, flags)}\n`);
  if (terminal.env['SHOAL_DEBUG'] === '1' && error instanceof Error) {
    for (let at: unknown = error; at instanceof Error; at = at.cause) terminal.stderr.write(`${at.stack}\n`);
  }
}

/**
 * What is said of an error, without the end of the line.
 *
 * An item that failed is one line, whatever its function has thrown: a line break in that is shown as `\n`. Lines are
 * counted and searched by item, and what a function wrote must not pass for a line of ours.
 */
export function complaint(error: unknown, flags: FlagNames): string {
  if (!(error instanceof ShoalError)) return `shoal: ${shownText(foreignText(error))}`;
  const text = `shoal: ${error.code}: ${flags.textOf(error)}`;
  return error instanceof ItemError ? onOneLine(text) : text;
}

/** What somebody else wrote, so that no line of it can pass for one of ours. */
export const onOneLine = (text: string): string => text.replaceAll('\r\n', '\\r\\n').replaceAll('\n', '\\n');

/** An error that is not of the catalogue: the system's (`ENOSPC …`), or a bug of ours. */
function foreignText(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? `${code}: ${reason}` : new ShoalError('INTERNAL', { reason }).message;
}
