import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '@shoal/errors';
import { exposure, makeFolder, readPrivateFile } from '@shoal/folders';
import { CertificateAuthority, type CertifiedKey } from './certificate-authority.ts';
import { isOfCluster, isSignedBy } from './certificate-facts.ts';
import { RevocationFile } from './revocation-file.ts';
import { readReason } from './token-file.ts';
import { replaceFile, syncFolder, unwritable } from './whole-file.ts';

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

/** A certificate that is of use with its key alone. */
export type PairedFile = 'client' | 'coordinator';

const keyOf = { authority: 'authorityKey', client: 'clientKey', coordinator: 'coordinatorKey' } as const;

/** What is written together with its key. */
type WrittenPair = keyof typeof keyOf;

/** What {@link TlsFolder.findPair} finds. */
export interface FoundPair extends CertifiedKey {
  /** Whoever wrote it was interrupted: the key is not where it belongs. */
  readonly isInterrupted: boolean;
}

/** A folder with the certificates and keys of one machine. */
export class TlsFolder {
  readonly path: string;
  /** What was taken back, beside the certificates of a coordinator. */
  readonly revoked: RevocationFile;

  constructor(path: string) {
    this.path = path;
    this.revoked = new RevocationFile(path);
  }

  /** Where a file lies. */
  pathOf(file: TlsFile): string {
    return join(this.path, tlsFiles[file]);
  }

  /** A file that has to be there. Errors: `FILE_NOT_USABLE`, with what makes it; also for a key that others can read. */
  async read(file: TlsFile): Promise<string> {
    const path = this.pathOf(file);
    const reading = file.endsWith('Key') ? readPrivateFile(path, 'key') : readFile(path, 'utf8');
    const text = await reading.catch((error: NodeJS.ErrnoException) => {
      const hint = error.code === 'ENOENT' ? `; ${this.#originOf(file)}` : '';
      throw new ShoalError('FILE_NOT_USABLE', { path, reason: `${readReason(error)}${hint}` });
    });
    const fault = pemFault(file, text);
    if (fault === undefined) return text;
    const hint = isPaired(file) ? mendsIt[file] : this.#originOf(file);
    const reason = file.endsWith('Key') ? fault : `${fault}; ${hint}`;
    throw new ShoalError('FILE_NOT_USABLE', { path, reason });
  }

  /** What makes a file, or where there is another. */
  #originOf(file: TlsFile): string {
    // Where its key lies it was made: whoever is sent there for it is there.
    const isMadeHere = file === 'authority' && existsSync(this.pathOf('authorityKey'));
    return isMadeHere ? copiesOfAuthority : origin[file];
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
   * A certificate for whoever is about to replace it: undefined also for what is none, as a full disk or an interrupted copy
   * leaves it, for nothing is lost with that. Errors: `FILE_NOT_USABLE` for one that cannot be read.
   */
  async findReplaceable(file: WrittenPair): Promise<string | undefined> {
    const path = this.pathOf(file);
    try {
      const text = await readFile(path, 'utf8');
      return isCertificate(text) ? text : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new ShoalError('FILE_NOT_USABLE', { path, reason: readReason(error) }, { cause: error });
    }
  }

  /** The authority of this folder, out of what was read in it. Errors: `FILE_NOT_USABLE`, which names the file. */
  authorityOf(cert: string, key: string): CertificateAuthority {
    const files = { cert: this.pathOf('authority'), key: this.pathOf('authorityKey') };
    return new CertificateAuthority(cert, key, files);
  }

  /**
   * Refuses a certificate that another cluster's authority has signed than the one beside it. One of a public authority passes:
   * whoever trusts that needs no `ca.crt` of the cluster. Errors: `FILE_NOT_USABLE`.
   */
  checkSigned(of: PairedFile, cert: string, ca: string): void {
    if (isSignedBy(cert, ca) || !isOfCluster(cert)) return;
    const reason = `it was not signed by ${this.pathOf('authority')}, so nobody who trusts that will believe it; ${signedAnew[of]}`;
    throw new ShoalError('FILE_NOT_USABLE', { path: this.pathOf(of), reason });
  }

  /** What is wrong with keys that others on this machine can read, one sentence each. */
  async exposedKeys(): Promise<readonly { readonly path: string; readonly says: string }[]> {
    const found = (['authorityKey', 'coordinatorKey', 'clientKey'] as const).map(async (file) => {
      const path = this.pathOf(file);
      const says = exposure(path, 'key', (await stat(path).catch(() => undefined))?.mode ?? 0);
      return says === undefined ? [] : [{ path, says }];
    });
    return (await Promise.all(found)).flat();
  }

  /** Refuses a folder with a key that others can read, needed here or not. Errors: `FILE_NOT_USABLE`. */
  async checkKeys(): Promise<void> {
    const [exposed] = await this.exposedKeys();
    if (exposed !== undefined) {
      throw new ShoalError('FILE_NOT_USABLE', { path: exposed.path, reason: exposed.says });
    }
  }

  /** Writes a file, whole or not at all, so that whoever reads it meanwhile gets the old one or the new one. */
  async write(file: TlsFile, text: string): Promise<void> {
    await this.#replace(this.pathOf(file), text, file.endsWith('Key') ? 0o600 : 0o644);
  }

  /**
   * Writes a certificate with its key. Two files cannot be replaced at once: until both are, the key lies in `*.key.next`,
   * and {@link findPair} finds the old pair or the new one wherever this was interrupted.
   */
  async writePair(of: WrittenPair, { cert, key }: CertifiedKey): Promise<void> {
    await this.reserve(of, key);
    await this.#replace(this.pathOf(of), cert, 0o644);
    await this.#useNextKey(of);
  }

  /**
   * Puts a key where {@link writePair} will put it first, for a certificate that is yet to come: a folder that cannot be written is
   * found before. What is there stays in use. Errors: `FILE_NOT_USABLE`.
   */
  async reserve(of: WrittenPair, key: string): Promise<void> {
    await this.finishPair(of);
    await this.#replace(this.#nextKeyPath(of), key, 0o600);
  }

  /**
   * The key that {@link reserve} put there for a certificate that has not come: whoever asked for that was ended meanwhile.
   * Undefined where there is none that can be used. Errors: `FILE_NOT_USABLE` for one that others can read.
   */
  async reserved(of: PairedFile): Promise<string | undefined> {
    const key = await this.#nextKey(of);
    if (key === undefined || !isKey(key)) return undefined;
    return fits(await this.findReplaceable(of), key) ? undefined : key;
  }

  /** Puts the key in its place that an interrupted {@link writePair} left beside it: it is the only one of the certificate. */
  async finishPair(of: WrittenPair): Promise<void> {
    if (fits(await this.findReplaceable(of), await this.#nextKey(of))) await this.#useNextKey(of);
  }

  /** Takes back what {@link reserve} put there, where no certificate has come for it. */
  async unreserve(of: PairedFile): Promise<void> {
    const isInUse = fits(await this.findReplaceable(of).catch(() => undefined), await this.#nextKey(of));
    if (!isInUse) await rm(this.#nextKeyPath(of), { force: true });
  }

  /** Errors: `FILE_NOT_USABLE`. */
  async #replace(path: string, text: string, mode: number): Promise<void> {
    try {
      makeFolder(this.path);
      await replaceFile(path, text, mode);
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /**
   * A certificate with the key that fits it; undefined where there is no certificate. Errors: `FILE_NOT_USABLE`, also
   * where no key fits.
   */
  async findPair(of: PairedFile): Promise<FoundPair | undefined> {
    for (let look = 1; ; look += 1) {
      const cert = await this.find(of);
      if (cert === undefined) return undefined;
      // In this order: the next one becomes the other, and is there as one of both.
      const next = await this.#nextKey(of);
      const keys = [next, await this.find(keyOf[of])];
      const key = keys.find((each) => fits(cert, each));
      if (key !== undefined) return { cert, key, isInterrupted: key === next };
      if (look < looksMax) continue;
      // The one that is missing is told as such.
      await this.read(keyOf[of]);
      const reason = `it does not fit its key, ${this.pathOf(keyOf[of])}; ${mendsIt[of]}`;
      throw new ShoalError('FILE_NOT_USABLE', { path: this.pathOf(of), reason });
    }
  }

  #nextKeyPath(of: WrittenPair): string {
    return `${this.pathOf(keyOf[of])}.next`;
  }

  async #nextKey(of: WrittenPair): Promise<string | undefined> {
    const path = this.#nextKeyPath(of);
    return readPrivateFile(path, 'key').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new ShoalError('FILE_NOT_USABLE', { path, reason: readReason(error) });
    });
  }

  async #useNextKey(of: WrittenPair): Promise<void> {
    await rename(this.#nextKeyPath(of), this.pathOf(keyOf[of]));
    await syncFolder(this.path);
  }
}

/** Between two looks at a certificate and its key both may be replaced. */
const looksMax = 3;

/** Whether a certificate and a key belong together; not where one is missing or is no PEM. */
function fits(cert: string | undefined, key: string | undefined): boolean {
  if (cert === undefined || key === undefined) return false;
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function isCertificate(text: string): boolean {
  try {
    new X509Certificate(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether a private key is whole, and of the kind that is made here. */
function isKey(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

/** What is wrong with the text of a file; undefined where it is what its name says. */
function pemFault(file: TlsFile, text: string): string | undefined {
  if (!file.endsWith('Key')) return isCertificate(text) ? undefined : 'there is no certificate (PEM) in it';
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text) ? undefined : 'there is no private key (PEM) in it';
}

const isPaired = (file: TlsFile): file is PairedFile => file === 'client' || file === 'coordinator';

const copiesOfAuthority =
  'copy it from the folder of any agent or client of this cluster, or make a new authority in an empty folder: shoal certs init';

const initMakesIt = 'shoal certs init makes it';
const issueMakesIt = 'shoal certs issue NAME makes it, and so does joining with a token';

const mendsIt: Readonly<Record<PairedFile, string>> = {
  client: `remove both, then ${issueMakesIt}`,
  coordinator: 'shoal certs init makes both anew',
};

const signedAnew: Readonly<Record<PairedFile, string>> = {
  client: 'take both from the folder in which shoal certs issue made them, or join with a new token',
  coordinator: 'where ca.crt is the right one, shoal certs init makes another',
};

const origin: Readonly<Record<TlsFile, string>> = {
  authority: 'copy it from the folder where shoal certs init made it',
  authorityKey: 'it lies where shoal certs init made ca.crt, and what it signs is made there',
  coordinator: initMakesIt,
  coordinatorKey: initMakesIt,
  client: issueMakesIt,
  clientKey: issueMakesIt,
};
