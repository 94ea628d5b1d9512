import { ShoalError, shownText } from '@shoal/errors';
import { type FlagNames, noFlags } from './flag-names.ts';
import type { Terminal } from './terminal.ts';

/**
 * Says on stderr what went wrong: one line, `shoal: CODE: what happened and what to do`.
 *
 * A stack helps nobody who uses the command; `SHOAL_DEBUG=1` shows it to those who work on it.
 */
export function complain(terminal: Terminal, error: unknown, flags: FlagNames = noFlags): void {
  const text =
    error instanceof ShoalError ? `${error.code}: ${flags.textOf(error)}` : shownText(foreignText(error));
  terminal.stderr.write(`shoal: ${text}\n`);
  if (terminal.env['SHOAL_DEBUG'] === '1' && error instanceof Error) {
    for (let at: unknown = error; at instanceof Error; at = at.cause) terminal.stderr.write(`${at.stack}\n`);
  }
}

/** An error that is not of the catalogue: the system's (`ENOSPC …`), or a bug of ours. */
function foreignText(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? `${code}: ${reason}` : new ShoalError('INTERNAL', { reason }).message;
}
