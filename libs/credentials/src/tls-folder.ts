import { X509Certificate } from 'node:crypto';
import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '@shoal/errors';
import { makeFolder } from '@shoal/folders';
import { readReason } from './token-file.ts';

/** Where an agent that joins keeps its own: beside shoal-tls, where it runs on the coordinator's machine. */
export const defaultAgentTlsDir = 'shoal-agent-tls';

/**
 * The files of a TLS folder, by what they are.
 *
 * `ca.crt` says whom to trust. `client.*` says who one is when one calls, `coordinator.*` is the coordinator's own, and
 * `ca.key` makes certificates: it belongs on one machine. A machine has those that it needs.
 */
export const tlsFiles = {
  authority: 'ca.crt',
  authorityKey: 'ca.key',
  coordinator: 'coordinator.crt',
  coordinatorKey: 'coordinator.key',
  client: 'client.crt',
  clientKey: 'client.key',
} as const;

/** One of {@link tlsFiles}. */
export type TlsFile = keyof typeof tlsFiles;

/** A folder with the certificates and keys of one machine. */
export class TlsFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Where a file lies. */
  pathOf(file: TlsFile): string {
    return join(this.path, tlsFiles[file]);
  }

  /** A file that has to be there. Errors: `FILE_NOT_USABLE`, with what makes it. */
  async read(file: TlsFile): Promise<string> {
    const path = this.pathOf(file);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      const hint = error.code === 'ENOENT' ? `; ${origin[file]}` : '';
      throw new ShoalError('FILE_NOT_USABLE', { path, reason: `${readReason(error)}${hint}` });
    });
    checkPem(path, file, text);
    return text;
  }

  /** A file that may be missing: undefined then. Errors: `FILE_NOT_USABLE` for one that is there and cannot be used. */
  async find(file: TlsFile): Promise<string | undefined> {
    try {
      return await this.read(file);
    } catch (error) {
      if (error instanceof ShoalError && /it does not exist/.test(error.message)) return undefined;
      throw error;
    }
  }

  /**
   * What is wrong with keys that others on this machine can read, one sentence each. They are used all the same: what
   * mounts secrets into containers often gives them to everybody there.
   */
  async exposedKeys(): Promise<readonly { readonly path: string; readonly says: string }[]> {
    if (process.platform === 'win32') return [];
    const found = (['authorityKey', 'coordinatorKey', 'clientKey'] as const).map(async (file) => {
      const path = this.pathOf(file);
      const mode = (await stat(path).catch(() => undefined))?.mode ?? 0;
      if ((mode & 0o077) === 0) return [];
      const text = (mode & 0o777).toString(8).padStart(4, '0');
      return [{ path, says: `others can read this key (mode ${text}); run: chmod 600 ${path}` }];
    });
    return (await Promise.all(found)).flat();
  }

  /** Writes a file, whole or not at all, so that whoever reads it meanwhile gets the old one or the new one. */
  async write(file: TlsFile, text: string): Promise<void> {
    makeFolder(this.path);
    const path = this.pathOf(file);
    const unfinished = `${path}.${process.pid}.new`;
    await writeFile(unfinished, text, { mode: file.endsWith('Key') ? 0o600 : 0o644 });
    if (file.endsWith('Key')) await chmod(unfinished, 0o600);
    await rename(unfinished, path);
  }
}

function checkPem(path: string, file: TlsFile, text: string): void {
  if (file.endsWith('Key')) {
    if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
      throw new ShoalError('FILE_NOT_USABLE', { path, reason: 'there is no private key (PEM) in it' });
    }
    return;
  }
  try {
    new X509Certificate(text);
  } catch (error) {
    throw new ShoalError(
      'FILE_NOT_USABLE',
      { path, reason: 'there is no certificate (PEM) in it' },
      { cause: error },
    );
  }
}

const initMakesIt = 'shoal certs init makes it';
const issueMakesIt = 'shoal certs issue NAME makes it, and so does joining with a token';

const origin: Readonly<Record<TlsFile, string>> = {
  authority: 'copy it from the folder where shoal certs init made it',
  authorityKey: initMakesIt,
  coordinator: initMakesIt,
  coordinatorKey: initMakesIt,
  client: issueMakesIt,
  clientKey: issueMakesIt,
};
