import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '@shoal/errors';
import { keyPem, newKeyPair, signingAlgorithm, signingKey } from './key-pair.ts';
import { type CertifiedIdentity, isIdentityName, organisation } from './role.ts';

/** A certificate with its key, both PEM. `cert` ends with the certificate of the CA: peers are sent the whole chain. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 86_400_000;

/** How long certificates are good for. The CA outlives everything that it signs. */
export const lifetimesMs: Readonly<Record<'authority' | 'coordinator' | 'issued' | 'joined', number>> = {
  authority: 3650 * dayMs,
  coordinator: 365 * dayMs,
  /** Of a client, viewer or admin, and of an agent whose certificate a person made. */
  issued: 365 * dayMs,
  /** Of an agent that joined with a token. It renews by itself. */
  joined: dayMs,
};

/** Clocks of machines differ: a certificate is good from a little before it was made. */
const clockSkewMs = 5 * 60_000;

/** Where the certificate and the key of an authority lie. */
export interface AuthorityFiles {
  readonly cert: string;
  readonly key: string;
}

/** The certificate authority of one cluster: who holds its key decides who belongs to the cluster. */
export class CertificateAuthority {
  readonly cert: string;
  readonly key: string;

  /**
   * `cert` and `key` are PEM, out of `files`. Throws `FILE_NOT_USABLE` where they are not, or do not belong together.
   */
  constructor(cert: string, key: string, files: AuthorityFiles = { cert: 'ca.crt', key: 'ca.key' }) {
    this.cert = cert;
    this.key = key;
    let isPair: boolean;
    try {
      const parsed = new X509Certificate(cert);
      if (!parsed.ca) throw new Error('it is the certificate of nobody who may sign others');
      signingKey(key);
      isPair = parsed.checkPrivateKey(createPrivateKey(key));
    } catch (error) {
      throw new ShoalError('FILE_NOT_USABLE', { path: files.cert, reason: String((error as Error).message) });
    }
    // What it signs would be trusted by nobody, and the reason would be told by every peer but this one.
    if (!isPair) {
      const reason =
        'it is not the key of ca.crt; take both from the folder where shoal certs init made them';
      throw new ShoalError('FILE_NOT_USABLE', { path: files.key, reason });
    }
  }

  /** Loads what makes certificates: so long that a server does it before it serves. */
  static async load(): Promise<void> {
    await import('./x509.ts');
  }

  /** A new authority with a key of its own. */
  static async create(nowMs: number = Date.now()): Promise<CertificateAuthority> {
    const x509 = await import('./x509.ts');
    const keys = await newKeyPair();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      // Two clusters' authorities have to be told apart by people.
      name: [{ O: [organisation] }, { CN: [`shoal cluster ${randomBytes(4).toString('hex')}`] }],
      notBefore: new Date(nowMs - clockSkewMs),
      notAfter: new Date(nowMs + lifetimesMs.authority),
      signingAlgorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(pem(certificate), keyPem(keys.privateKey));
  }

  /**
   * A certificate for the coordinator, good for these host names and addresses.
   *
   * It is for servers alone: whoever has it is nobody as a client.
   */
  async issueCoordinator(
    hosts: readonly string[],
    { nowMs = Date.now(), lifetimeMs = lifetimesMs.coordinator }: Validity = {},
  ): Promise<CertifiedKey> {
    const x509 = await import('./x509.ts');
    const keys = await newKeyPair();
    const names = hosts.map((value) => ({
      type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
      value,
    }));
    const cert = await this.#sign(x509, {
      subject: [{ O: [organisation] }, { OU: ['coordinator'] }, { CN: ['coordinator'] }],
      publicKey: keys.publicKey,
      usage: x509.ExtendedKeyUsage.serverAuth,
      extensions: [new x509.SubjectAlternativeNameExtension(names)],
      nowMs,
      lifetimeMs,
      afterMs: 0,
    });
    return { cert, key: keyPem(keys.privateKey) };
  }

  /** A certificate with a new key for somebody who calls the coordinator. */
  async issueIdentity(
    identity: CertifiedIdentity,
    { nowMs = Date.now(), lifetimeMs = lifetimesMs.issued, afterMs = 0 }: Validity = {},
  ): Promise<CertifiedKey> {
    const keys = await newKeyPair();
    const cert = await this.#signIdentity(identity, keys.publicKey, { nowMs, lifetimeMs, afterMs });
    return { cert, key: keyPem(keys.privateKey) };
  }

  /**
   * The certificate, with its chain, that a request asks for. The key stays where the request was made.
   *
   * Of the request only the key is taken: who it is for is said here. Throws `REQUEST_INVALID` for one that is
   * malformed, or not signed with its own key.
   */
  async answer(
    requestPem: string,
    identity: CertifiedIdentity,
    { nowMs = Date.now(), lifetimeMs = lifetimesMs.joined, afterMs = 0 }: Validity = {},
  ): Promise<string> {
    const x509 = await import('./x509.ts');
    let publicKey: CryptoKey;
    try {
      const request = new x509.Pkcs10CertificateRequest(requestPem);
      if (!(await request.verify())) throw new Error('it is not signed with its own key');
      publicKey = await request.publicKey.export();
    } catch (error) {
      const reason = `is no certificate request: ${(error as Error).message}`;
      throw new ShoalError('REQUEST_INVALID', { field: 'certificate_request', reason });
    }
    return this.#signIdentity(identity, publicKey, { nowMs, lifetimeMs, afterMs });
  }

  async #signIdentity(
    { name, role }: CertifiedIdentity,
    publicKey: CryptoKey,
    validity: Required<Validity>,
  ): Promise<string> {
    if (!isIdentityName(name)) {
      const reason = `"${name}" must be 1 to 100 letters, digits, ".", ":", "-" or "_"`;
      throw new ShoalError('REQUEST_INVALID', { field: 'name', reason });
    }
    const x509 = await import('./x509.ts');
    return this.#sign(x509, {
      subject: [{ O: [organisation] }, { OU: [role] }, { CN: [name] }],
      publicKey,
      usage: x509.ExtendedKeyUsage.clientAuth,
      extensions: [],
      ...validity,
    });
  }

  async #sign(x509: X509, content: Content): Promise<string> {
    const { subject, publicKey, usage, extensions, nowMs, lifetimeMs, afterMs } = content;
    // Certificates begin with a second.
    const afterSecondMs = afterMs === 0 ? 0 : Math.floor(afterMs / 1000) * 1000 + 1000;
    const validFromMs = Math.max(nowMs - clockSkewMs, afterSecondMs);
    // It would be turned away where it is shown at once.
    if (validFromMs > nowMs) await delay(Math.min(1_000, validFromMs - nowMs));
    const authority = new x509.X509Certificate(this.cert);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject,
      issuer: authority.subjectName.toJSON(),
      notBefore: new Date(validFromMs),
      notAfter: new Date(Math.min(nowMs + lifetimeMs, authority.notAfter.getTime())),
      publicKey,
      signingKey: signingKey(this.key),
      signingAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
        ...extensions,
      ],
    });
    return `${pem(certificate)}${this.cert.trimEnd()}\n`;
  }
}

/** From when, and how long, a certificate is good. */
export interface Validity {
  /** Milliseconds since 1970. Default: now. */
  readonly nowMs?: number;
  readonly lifetimeMs?: number;
  /**
   * It begins later than this, in milliseconds since 1970: those that began until then were taken back. Default: never; it
   * begins a little before `nowMs`.
   */
  readonly afterMs?: number;
}

type X509 = typeof import('./x509.ts');
type Extension = import('./x509.ts').Extension;
type CryptoKey = import('node:crypto').webcrypto.CryptoKey;

interface Content {
  readonly subject: { readonly [field: string]: string[] }[];
  readonly publicKey: CryptoKey;
  readonly usage: string;
  readonly extensions: Extension[];
  readonly nowMs: number;
  readonly lifetimeMs: number;
  readonly afterMs: number;
}

const pem = (certificate: { toString(format: 'pem'): string }): string =>
  `${certificate.toString('pem').trimEnd()}\n`;

/** 127 random bits: unique without anybody counting. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
