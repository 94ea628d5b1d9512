import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '@shoal/errors';
import { parseRevocations, type Revocation, RevocationList, revocationLine } from './revocation-list.ts';
import { readReason } from './token-file.ts';
import { unwritable } from './whole-file.ts';

/** How long the list of what was taken back may be. */
export interface RevocationLimit {
  readonly entries: number;
  /** The option that changes it, as the error names it. */
  readonly option: string;
}

/** The list of certificates that are good no more, in the folder of a coordinator. */
export class RevocationFile {
  readonly path: string;

  constructor(folder: string) {
    this.path = join(folder, 'revoked.txt');
  }

  /** Its text; undefined where there is none. Errors: `FILE_NOT_USABLE`. */
  async text(): Promise<string | undefined> {
    return readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new ShoalError('FILE_NOT_USABLE', { path: this.path, reason: readReason(error) });
    });
  }

  /** What was taken back; nothing where there is no list. Errors: `FILE_NOT_USABLE`, which names the line. */
  async list(): Promise<RevocationList> {
    return this.listIn((await this.text()) ?? '');
  }

  /** The same out of a text that was read. Errors: `FILE_NOT_USABLE`, which names the line. */
  listIn(text: string): RevocationList {
    try {
      return new RevocationList(parseRevocations(text));
    } catch (error) {
      throw new ShoalError('FILE_NOT_USABLE', { path: this.path, reason: (error as Error).message });
    }
  }

  /**
   * Puts more on the list, which may have `most` entries then. A coordinator that uses this folder takes it up by itself.
   * Errors: `FILE_NOT_USABLE`.
   */
  async add(
    revocations: readonly Revocation[],
    most: RevocationLimit = { entries: Number.POSITIVE_INFINITY, option: '' },
  ): Promise<void> {
    const before = (await this.text()) ?? '';
    const ends = before === '' || before.endsWith('\n') ? '' : '\n';
    const more = `${ends}${revocations.map((each) => `${revocationLine(each)}\n`).join('')}`;
    // Looked at first: one that could not be read would be used by nobody.
    this.checkSize(this.listIn(`${before}${more}`), most);
    // At its end, in one piece: others may be at it in this moment, and what they revoke stays revoked.
    try {
      await using file = await open(this.path, 'a', 0o644);
      await file.writeFile(more);
      await file.sync();
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /** Refuses a list that is too long. Errors: `FILE_NOT_USABLE`, with the option. */
  checkSize({ size }: RevocationList, { entries, option }: RevocationLimit): void {
    if (size <= entries) return;
    const reason = `it has ${size} entries, and may have ${entries} (${option}); take out what has expired`;
    throw new ShoalError('FILE_NOT_USABLE', { path: this.path, reason, limitName: 'revocations' });
  }
}
