import type { Writable } from 'node:stream';
import { ShoalError } from '@shoal/errors';
import { systemReason } from './system-reason.ts';
import type { Terminal } from './terminal.ts';

/** The reader of stdout went away (`… | head -1`): no fault of anybody, and nobody is left to tell. */
export class OutputGone extends Error {
  override readonly name: string = 'OutputGone';
}

/** What it means that the output `name` cannot be written: {@link OutputGone}, or FILE_NOT_USABLE. */
export function outputFailure(name: string, error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE') return new OutputGone(error.message);
  return new ShoalError('FILE_NOT_USABLE', { path: name, reason: systemReason(error) });
}

/** Writes what a command has found out to stdout. Rejects where nobody can read it: with {@link outputFailure}. */
export async function writeOut({ stdout }: Pick<Terminal, 'stdout'>, text: string): Promise<void> {
  const failure = await failureOf(stdout, text);
  if (failure !== undefined) throw outputFailure('stdout', failure);
}

/** Resolves when the system has taken a text and all before it, or to why it takes nothing. */
function failureOf(stream: Writable, text: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    // What a stream tells all later writes is less than what it told the one that failed.
    if (stream.errored !== null) resolve(stream.errored);
    else stream.write(text, (error) => resolve(error ?? undefined));
  });
}

const unread = new WeakSet<Writable>();

/** What the reader of a stream has not taken is not waited for any more: the process may end without it. */
export const dropUnread = (stream: Writable): void => void unread.add(stream);

/** Whether a process has to stay for what its streams have not passed on. */
export const isOwing = ({ stderr, stdout }: Pick<Terminal, 'stderr' | 'stdout'>): boolean =>
  [stdout, stderr].some((stream) => stream.writableLength > 0 && !unread.has(stream));

/** A stream that nobody reads ends no command by itself: what comes of that is for whoever writes to it. */
export function outliveReaders({ stderr, stdout }: Pick<Terminal, 'stderr' | 'stdout'>): void {
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
}
