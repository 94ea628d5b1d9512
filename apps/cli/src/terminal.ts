import type { Readable, Writable } from 'node:stream';

/** What a command may touch of the process around it. Tests hand in their own. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results, and nothing else. */
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** Everything that is no result: progress, prints of tasks, logs, errors. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What starts this very command again: the node flags and the script (`shoal dev` starts its agents so). */
  readonly self: readonly string[];
}

/** The terminal of this process. */
export function processTerminal(script: string): Terminal {
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, env, self: [...process.execArgv, script] };
}

/** Whether colours may be used on a stream: on a terminal only, and never under NO_COLOR. */
export function wantsColour(terminal: Terminal, stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && (terminal.env['NO_COLOR'] ?? '') === '' && terminal.env['TERM'] !== 'dumb';
}
