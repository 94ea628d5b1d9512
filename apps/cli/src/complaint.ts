import { ShoalError } from '@shoal/errors';
import type { Terminal } from './terminal.ts';

/**
 * Says on stderr what went wrong: one line, `shoal: CODE: what happened and what to do`.
 *
 * A stack helps nobody who uses the command; `SHOAL_DEBUG=1` shows it to those who work on it.
 */
export function complain(terminal: Terminal, error: unknown): void {
  const text = error instanceof ShoalError ? `${error.code}: ${inFlags(error.message)}` : foreignText(error);
  terminal.stderr.write(`shoal: ${text}\n`);
  if (terminal.env['SHOAL_DEBUG'] === '1' && error instanceof Error) {
    for (let at: unknown = error; at instanceof Error; at = at.cause) terminal.stderr.write(`${at.stack}\n`);
  }
}

/** The pool names its options as its callers in TypeScript write them; here they are flags. */
export const inFlags = (message: string): string =>
  message.replace(/\((max[A-Z]\w+)\)/g, (_, option: string) => {
    return `(--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)})`;
  });

/** An error that is not of the catalogue: the system's (`ENOSPC …`), or a bug of ours. */
function foreignText(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? `${code}: ${reason}` : new ShoalError('INTERNAL', { reason }).message;
}
