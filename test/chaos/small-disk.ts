import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of 1 MiB, for processes that are to run out of disk. */
export class SmallDisk implements AsyncDisposable {
  readonly path: string;
  readonly #ballast: string;

  private constructor(path: string) {
    this.path = path;
    this.#ballast = join(path, 'ballast');
  }

  static async mount(): Promise<SmallDisk> {
    const path = mkdtempSync(join(tmpdir(), 'shoal-small-disk-'));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path]);
    return new SmallDisk(path);
  }

  /** Fills it to the last byte. */
  fill(): void {
    const fd = openSync(this.#ballast, 'w');
    const page = Buffer.alloc(4_096);
    try {
      for (;;) writeSync(fd, page);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** There is room again. */
  free(): void {
    rmSync(this.#ballast);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', [this.path]);
    rmSync(this.path, { recursive: true });
  }
}
