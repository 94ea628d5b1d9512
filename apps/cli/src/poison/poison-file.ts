import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { access, constants, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { type ItemAttempt, ShoalError } from '@shoal/errors';
import { makeFolder } from '@shoal/folders';
import type { TaskSpec } from '../map/task-spec.ts';
import { systemReason } from '../system-reason.ts';
import { version } from '../version.ts';

/** An item that killed its process or ran too long, with all that it takes to run it again alone. */
export interface Poison {
  /** Its position in the input of its job. */
  readonly index: number;
  readonly item: unknown;
  readonly task: TaskSpec;
  /** SHA-256 of the module when the item failed, so that one can tell whether it is still the same. */
  readonly moduleSha256: string | undefined;
  /** The time limit that it had, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** How it failed. */
  readonly failure: {
    readonly code: string;
    readonly message: string;
    readonly attempts: readonly ItemAttempt[];
    readonly stderrTail: string | undefined;
  };
}

/** Says that a JSON file is one of ours, and how to read it. */
const format = 'shoal-poison-1';

/** Makes sure, before anything runs, that files can be written to the folder. One that is missing is made. */
export async function preparePoisonFolder(folder: string): Promise<void> {
  try {
    makeFolder(folder);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ShoalError('FILE_NOT_USABLE', { path: folder, reason: systemReason(error) }, { cause: error });
  }
}

/**
 * Writes a file of its own for an item and returns its path.
 *
 * Only its owner may read it, and its name tells nothing of the item: what lies in it may be anybody's secret.
 */
export async function writePoison(folder: string, poison: Poison): Promise<string> {
  const { index, item, task, failure, moduleSha256, timeoutMs } = poison;
  const content = {
    format,
    shoal: version,
    node: process.version,
    savedAt: new Date().toISOString(),
    task: { module: task.url.href, export: task.export, moduleSha256 },
    timeoutMs,
    failure,
    // As it travels to a child: JSON would lose what only structured clone can say.
    item: { index, encoding: 'v8', base64: serialize(item).toString('base64') },
  };
  const path = join(folder, `poison-${index}-${randomBytes(4).toString('hex')}.json`);
  try {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(`${JSON.stringify(content, undefined, 2)}\n`);
  } catch (error) {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason: systemReason(error) }, { cause: error });
  }
  return path;
}

/** Reads a file that {@link writePoison} wrote. Throws FILE_NOT_USABLE for any other. */
export async function readPoison(path: string): Promise<Poison> {
  const unusable = (reason: string): ShoalError => new ShoalError('FILE_NOT_USABLE', { path, reason });
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(systemReason(error));
  });
  const content = parsed(text);
  if (content === undefined || !String(content['format']).startsWith('shoal-poison-')) {
    throw unusable('it is no file that shoal map --save-poison has written');
  }
  if (content['format'] !== format) {
    throw unusable(`it was written by shoal ${content['shoal']}; this is ${version}`);
  }
  try {
    // The format says what is in it; a file that was cut or changed fails here.
    const { task, item, timeoutMs, failure } = content as unknown as Stored;
    return {
      index: item.index,
      item: deserialize(Buffer.from(item.base64, 'base64')),
      task: { url: new URL(task.module), export: task.export },
      moduleSha256: task.moduleSha256,
      timeoutMs,
      failure: { ...failure, stderrTail: failure.stderrTail },
    };
  } catch {
    throw unusable('it is damaged');
  }
}

interface Stored {
  readonly task: { readonly module: string; readonly export: string; readonly moduleSha256?: string };
  readonly item: { readonly index: number; readonly base64: string };
  readonly timeoutMs?: number;
  readonly failure: Poison['failure'];
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a module's file; undefined where it cannot be read. */
export function moduleDigest(url: URL): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(url)).digest('hex');
  } catch {
    return undefined;
  }
}
