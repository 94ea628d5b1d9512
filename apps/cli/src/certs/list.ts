import { X509Certificate } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { certificateFacts, type RevocationList, type Role, TlsFolder } from '@shoal/credentials';
import { aligned } from '../text-table.ts';

/** A certificate of a TLS folder. */
export interface ListedCert {
  /** From the TLS folder on. */
  readonly file: string;
  /** Who its holder is; the hosts of a coordinator. */
  readonly name: string;
  /** Empty where it makes nobody known to a coordinator. */
  readonly role: Role | 'authority' | 'coordinator' | '';
  /** Hexadecimal, as `shoal certs revoke` takes it. */
  readonly serial: string;
  /** SHA-256, as `openssl x509 -fingerprint -sha256` shows it. */
  readonly fingerprint: string;
  readonly validFromUnixMs: number;
  readonly validToUnixMs: number;
  /** A coordinator with this folder turns away whoever shows it. */
  readonly revoked: boolean;
}

/**
 * The certificates in a TLS folder and of those that were issued into it: its own first, then the others by their names.
 * Errors: `FILE_NOT_USABLE`, also for a folder without an authority.
 */
export async function listCerts(tlsDir: string): Promise<ListedCert[]> {
  const own = new TlsFolder(tlsDir);
  const revocations = await own.revoked.list();
  const pems: (readonly [path: string, pem: string | undefined])[] = [
    [own.pathOf('authority'), await own.read('authority')],
    [own.pathOf('coordinator'), await own.find('coordinator')],
    [own.pathOf('client'), await own.find('client')],
  ];
  for (const name of await issuedIn(tlsDir)) {
    const folder = new TlsFolder(join(tlsDir, 'issued', name));
    pems.push([folder.pathOf('client'), await folder.find('client')]);
  }
  return pems.flatMap(([path, pem], at) =>
    pem === undefined ? [] : [listed(relative(tlsDir, path), pem, at === 0, revocations)],
  );
}

/** The folders that `shoal certs issue` made where nobody named another place. */
async function issuedIn(tlsDir: string): Promise<string[]> {
  const entries = await readdir(join(tlsDir, 'issued'), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

function listed(file: string, pem: string, isAuthority: boolean, revocations: RevocationList): ListedCert {
  const { hosts, identity, serial, validFromMs, validToMs } = certificateFacts(pem);
  const ofNobody = isAuthority ? 'authority' : hosts.length > 0 ? 'coordinator' : '';
  return {
    file,
    name: identity?.name ?? hosts.join(', '),
    role: identity?.role ?? ofNobody,
    serial,
    fingerprint: new X509Certificate(pem).fingerprint256,
    validFromUnixMs: validFromMs,
    validToUnixMs: validToMs,
    revoked: revocations.has({ serial, validFromMs, identity }),
  };
}

const dayMs = 86_400_000;
const soonMs = 7 * dayMs;

/** Certificates as `shoal certs ls` shows them. */
export function certList(certs: readonly ListedCert[], nowMs: number): string {
  const rows = certs.map((cert) => [
    cert.file,
    cert.role,
    cert.name,
    cert.serial,
    new Date(cert.validToUnixMs).toISOString().slice(0, 10),
    stateOf(cert, nowMs),
  ]);
  return `${aligned([['FILE', 'ROLE', 'NAME', 'SERIAL', 'UNTIL', 'STATE'], ...rows]).join('\n')}\n`;
}

/** `good`, `revoked`, `expired`, `ends in 3 days`. */
function stateOf({ revoked, validFromUnixMs, validToUnixMs }: ListedCert, nowMs: number): string {
  if (revoked) return 'revoked';
  if (validToUnixMs <= nowMs) return 'expired';
  // One for a name that was revoked begins after what was: a second later at the most.
  if (validFromUnixMs > nowMs) return 'not yet good';
  const leftMs = validToUnixMs - nowMs;
  if (leftMs > soonMs) return 'good';
  const days = Math.ceil(leftMs / dayMs);
  return `ends in ${days} ${days === 1 ? 'day' : 'days'}`;
}
