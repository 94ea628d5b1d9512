import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ShoalError } from '@shoal/errors';

/** A file that nobody has written to for so long was left by a process that was killed; writing one takes milliseconds. */
const leftAfterMs = 60_000;
const unfinishedName = /^[0-9a-f]{12}\.new$/;

/** Writes a file whole or not at all: in one of its own first, which nobody has opened before, and on the disk before it counts. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await using file = await open(unfinished, 'wx', mode);
    await file.writeFile(text);
    await file.sync();
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await removeLeft(path);
  await syncFolder(dirname(path));
}

/** What was left of earlier tries to write it may hold a secret, and nobody else looks for it. */
async function removeLeft(path: string): Promise<void> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(start) || !unfinishedName.test(name.slice(start.length))) continue;
    const left = join(folder, name);
    const writtenMs = (await stat(left).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - writtenMs > leftAfterMs) await rm(left, { force: true }).catch(() => {});
  }
}

/** Names are on the disk when their folder is. Where folders cannot be synced, nothing more can be done. */
export async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, 'r');
    await folder.sync();
  } catch {
    // Windows, and some file systems of networks.
  }
}

/** What it means that a file cannot be written. */
export function unwritable(path: string, error: unknown): ShoalError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = `it cannot be written (${code ?? message})`;
  return new ShoalError('FILE_NOT_USABLE', { path, reason }, { cause: error });
}
