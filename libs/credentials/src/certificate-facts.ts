import { X509Certificate } from 'node:crypto';
import { canonicalHost } from './machine-hosts.ts';
import { type CertifiedIdentity, identityOfSubject } from './role.ts';

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
