import { X509Certificate } from 'node:crypto';
import {
  CertificateAuthority,
  certificateFacts,
  certificateFingerprint,
  type RevocationList,
  TlsFolder,
} from '@shoal/credentials';
import { durationText, ShoalError } from '@shoal/errors';
import { type LimitName, ListenCredentials, type ListenMaterial } from '@shoal/protocol';
import type { EventFeed } from '../watch/event-feed.ts';
import { RepeatedCheck } from './repeated-check.ts';

/** What {@link ServerCertificates.open} needs. */
export interface ServerCertificateParts {
  /** The TLS folder: ca.crt, coordinator.crt and its key; ca.key where machines may join with tokens. */
  readonly tlsDir: string;
  /** How often the files are looked at. */
  readonly checkMs: number;
  readonly feed: EventFeed;
  /** The list of revoked certificates is another one. Returns how many calls that ended. */
  readonly onRevoked: () => number;
  /** Entries of that list, at most. */
  readonly maxRevocations: number;
  readonly onLimit: (limit: LimitName) => void;
}

/** An expiry this near is warned of. */
const expiryWarningMs = 7 * 86_400_000;
const warnEveryMs = 86_400_000;

/** When an expiry has to be warned of: `days` is what is left, undefined where there is time yet. */
export function daysLeft(validToMs: number, nowMs: number): number | undefined {
  const leftMs = validToMs - nowMs;
  return leftMs < expiryWarningMs ? Math.max(0, Math.floor(leftMs / 86_400_000)) : undefined;
}

/**
 * The coordinator's certificate and authority, as its TLS folder holds them now.
 *
 * The files are looked at every few seconds, and not watched: what replaces them may be a link that is swung over, a
 * mount, or another machine. New connections get the new certificate; open ones go on, but for those of callers whose
 * certificates were revoked meanwhile.
 */
export class ServerCertificates {
  readonly credentials: ListenCredentials;
  readonly #parts: ServerCertificateParts;
  readonly #folder: TlsFolder;
  #material: ListenMaterial;
  #authority: CertificateAuthority | undefined;
  #revocations: RevocationList;
  #revokedText: string;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  readonly #check: RepeatedCheck;

  private constructor(parts: ServerCertificateParts, folder: TlsFolder, read: Read) {
    this.#parts = parts;
    this.#folder = folder;
    this.#material = read.material;
    this.#authority = read.authority;
    this.#revokedText = read.revokedText ?? '';
    this.#revocations = this.#listIn(this.#revokedText);
    this.credentials = new ListenCredentials(read.material);
    this.#warn();
    this.#check = new RepeatedCheck({
      everyMs: parts.checkMs,
      look: () => this.#look(),
      onLimit: parts.onLimit,
      // Half of a pair may be written yet. The old one stays.
      complain: (reason) => {
        const message = `certificate files cannot be used, the earlier ones stay: ${reason}`;
        parts.feed.tell('certificate.refused', { reason }, message, 'warn');
      },
    });
  }

  /** Reads the folder. Errors: `FILE_NOT_USABLE`, which names the file and what makes it; also for a key that others can read. */
  static async open(parts: ServerCertificateParts): Promise<ServerCertificates> {
    const folder = new TlsFolder(parts.tlsDir);
    // Before they are read: of those that are not needed here, too, whoever has one can be somebody.
    await folder.checkKeys();
    const read = await readFolder(folder);
    if (read.authority !== undefined) await CertificateAuthority.load();
    try {
      return new ServerCertificates(parts, folder, read);
    } catch (error) {
      if (error instanceof ShoalError) throw error;
      const reason = `it does not fit its key: ${(error as Error).message}`;
      throw new ShoalError('FILE_NOT_USABLE', { path: folder.pathOf('coordinator'), reason });
    }
  }

  /** Who signs for those that join. Throws `NO_AUTHORITY` where the folder has no key for that. */
  get authority(): CertificateAuthority {
    if (this.#authority !== undefined) return this.#authority;
    throw new ShoalError('NO_AUTHORITY', { reason: `there is no ${this.#folder.pathOf('authorityKey')}` });
  }

  /** The fingerprint of the authority: what a new machine knows the cluster by. */
  get fingerprint(): string {
    return certificateFingerprint(new X509Certificate(this.#material.ca));
  }

  /** Certificates that are good no more. */
  get revocations(): RevocationList {
    return this.#revocations;
  }

  /** When both certificates expire, in milliseconds since 1970. */
  get expiries(): { readonly certificateMs: number; readonly authorityMs: number } {
    return {
      certificateMs: certificateFacts(this.#material.cert).validToMs,
      authorityMs: certificateFacts(this.#material.ca).validToMs,
    };
  }

  /** Why one of the files cannot be used; undefined where all can. */
  get trouble(): string | undefined {
    return this.#check.trouble;
  }

  /** Looks at the files no more. */
  stop(): void {
    this.#check.stop();
  }

  async #look(): Promise<void> {
    try {
      await this.#reload();
    } finally {
      this.#warn();
    }
  }

  async #reload(): Promise<void> {
    // Each by itself: a key that cannot be used keeps nobody in who was shut out, nor a list a new certificate from use.
    const looks = await Promise.allSettled([this.#reloadList(), this.#reloadMaterial()]);
    const failures = looks.flatMap((look) => (look.status === 'rejected' ? [look.reason as Error] : []));
    if (failures.length > 0) {
      throw new AggregateError(failures, failures.map(({ message }) => message).join(' '));
    }
  }

  async #reloadMaterial(): Promise<void> {
    const { material, authority } = await readMaterial(this.#folder);
    this.#authority = authority;
    if (!sameMaterial(material, this.#material)) this.#replace(material);
  }

  async #reloadList(): Promise<void> {
    const revokedText = await this.#folder.revoked.text();
    if (revokedText === undefined && this.#revokedText !== '') {
      // Whoever was shut out would be let in again by an accident, or by somebody who would like that.
      const reason = 'it is gone, and what it had stays revoked; an empty file revokes nothing';
      throw new ShoalError('FILE_NOT_USABLE', { path: this.#folder.revoked.path, reason });
    }
    const text = revokedText ?? '';
    if (text !== this.#revokedText) this.#revoke(this.#listIn(text), text);
  }

  #listIn(text: string): RevocationList {
    const list = this.#folder.revoked.listIn(text);
    const option = 'shoal coordinator --max-revocations';
    this.#folder.revoked.checkSize(list, { entries: this.#parts.maxRevocations, option });
    return list;
  }

  #replace(material: ListenMaterial): void {
    this.credentials.replace(material);
    this.#material = material;
    this.#warnedAtMs = Number.NEGATIVE_INFINITY;
    const until = new Date(this.expiries.certificateMs).toISOString();
    this.#parts.feed.tell(
      'certificate.replaced',
      { until },
      `a new certificate is used, good until ${until}`,
    );
  }

  #revoke(revocations: RevocationList, text: string): void {
    this.#revocations = revocations;
    this.#revokedText = text;
    const ended = this.#parts.onRevoked();
    const facts = { entries: revocations.size, ended };
    this.#parts.feed.tell(
      'certificate.revoked',
      facts,
      `${this.#folder.revoked.path} was read anew: it has ${revocations.size} entries, and ended ${ended} open calls`,
    );
  }

  #warn(): void {
    const nowMs = Date.now();
    const { certificateMs, authorityMs } = this.expiries;
    const validToMs = Math.min(certificateMs, authorityMs);
    if (daysLeft(validToMs, nowMs) === undefined || nowMs - this.#warnedAtMs < warnEveryMs) return;
    this.#warnedAtMs = nowMs;
    const left = validToMs <= nowMs ? 'has expired' : `expires in ${durationText(validToMs - nowMs)}`;
    // What it signs ends with it, so a new certificate would end on the same day.
    const isAuthority = authorityMs <= certificateMs;
    const file = this.#folder.pathOf(isAuthority ? 'authority' : 'coordinator');
    const help = isAuthority
      ? 'all certificates end with it, and shoal certs init makes none that last longer; make a new authority (docs/several-machines.md, Later)'
      : `run shoal certs init --tls-dir ${this.#folder.path}: the new one is used without a restart`;
    this.#parts.feed.tell(
      'certificate.expiring',
      { file, until: new Date(validToMs).toISOString() },
      `${file} ${left}; ${help}`,
      'warn',
    );
  }
}

interface Read {
  readonly material: ListenMaterial;
  readonly authority: CertificateAuthority | undefined;
  readonly revokedText: string | undefined;
}

async function readFolder(folder: TlsFolder): Promise<Read> {
  const [material, revokedText] = await Promise.all([readMaterial(folder), folder.revoked.text()]);
  return { ...material, revokedText };
}

async function readMaterial(folder: TlsFolder): Promise<Omit<Read, 'revokedText'>> {
  const [ca, pair, authorityKey] = await Promise.all([
    folder.read('authority'),
    folder.findPair('coordinator'),
    folder.find('authorityKey'),
  ]);
  // The one that is missing is told as such.
  const { cert, key } = pair ?? { cert: await folder.read('coordinator'), key: '' };
  folder.checkSigned('coordinator', cert, ca);
  const authority = authorityKey === undefined ? undefined : folder.authorityOf(ca, authorityKey);
  return { material: { ca, cert, key }, authority };
}

const sameMaterial = (one: ListenMaterial, other: ListenMaterial): boolean =>
  one.ca === other.ca && one.cert === other.cert && one.key === other.key;
