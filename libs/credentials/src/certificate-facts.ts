import { X509Certificate } from 'node:crypto';
import { canonicalHost } from './machine-hosts.ts';
import { type CertifiedIdentity, identityOfSubject, organisation } from './role.ts';

/** What is told of a certificate. */
export interface CertificateFacts {
  /** Its number, unlike any other of its authority: hexadecimal. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly validFromMs: number;
  /** Milliseconds since 1970. */
  readonly validToMs: number;
  /** Who its holder is as a caller; undefined for a coordinator's, and for those made for something else. */
  readonly identity: CertifiedIdentity | undefined;
  /** Names and addresses that a server with this certificate may be reached under. */
  readonly hosts: readonly string[];
}

/** The facts of the first certificate in a PEM text. Throws what Node says where there is none. */
export function certificateFacts(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const fields = certificate.subject.split('\n').map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)] as const;
  });
  // A field that comes twice names nobody: Object.fromEntries would keep the last one alone.
  const isClear = new Set(fields.map(([name]) => name)).size === fields.length;
  const hosts = (certificate.subjectAltName ?? '').split(', ').flatMap((name) => {
    const [, host] = /^(?:DNS|IP Address):(.+)$/.exec(name) ?? [];
    return host === undefined ? [] : [canonicalHost(host)];
  });
  return {
    serial: certificate.serialNumber,
    validFromMs: certificate.validFromDate.getTime(),
    validToMs: certificate.validToDate.getTime(),
    identity: isClear ? identityOfSubject(Object.fromEntries(fields)) : undefined,
    hosts,
  };
}

/** SHA-256 of a certificate's DER, in base64url: 43 characters by which it is known for sure. */
export function certificateFingerprint(certificate: X509Certificate): string {
  return Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
}

/**
 * Whether a certificate was signed by one of the authorities in `ca`, by itself or through the chain that follows it. Both are
 * PEM texts; times are not looked at.
 */
export function isSignedBy(chain: string, ca: string): boolean {
  const [trusted, shown] = [certificatesIn(ca), certificatesIn(chain)];
  let last = shown.shift();
  // Of a chain each is taken once.
  while (last !== undefined) {
    const holder: X509Certificate = last;
    if (trusted.some((each) => hasSigned(each, holder))) return true;
    const at = shown.findIndex((each) => hasSigned(each, holder));
    last = at < 0 ? undefined : shown.splice(at, 1)[0];
  }
  return false;
}

/** Whether an authority like those of Shoal has signed a certificate: one that is made for a cluster, and no public one. */
export function isOfCluster(pem: string): boolean {
  return new X509Certificate(pem).issuer.split('\n').includes(`O=${organisation}`);
}

const hasSigned = (authority: X509Certificate, other: X509Certificate): boolean =>
  other.checkIssued(authority) && other.verify(authority.publicKey);

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(pemBlock) ?? []).map((each) => new X509Certificate(each));
