import { type CertifiedIdentity, isIdentityName, isRole, type Role } from './role.ts';

/** A certificate, as far as it matters to a {@link RevocationList}. */
export interface RevocableCertificate {
  /** Hexadecimal, as `openssl x509 -serial` shows it. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly validFromMs: number;
  /** Undefined for one that names nobody who calls. */
  readonly identity: CertifiedIdentity | undefined;
}

/** What is taken back: one certificate, or all that somebody has got so far. */
export type Revocation =
  | { readonly serial: string }
  | {
      readonly name: string;
      /** Undefined: whatever its role. */
      readonly role: Role | undefined;
      /** Certificates that begin later are good: the name can be given out again. Milliseconds since 1970. */
      readonly untilMs: number;
    };

const anyRole = '*';
const serialNumber = /^[0-9A-F]{16,40}$/;

/**
 * The certificates of a cluster that are good no more although they have not expired.
 *
 * A text, one of them a line: `serial HEX`, or `ROLE NAME TIME` for all that began until then (`*` for every role). What
 * follows a `#` is for people. It is kept by names as well as by numbers, for an agent gets a new certificate twice a day.
 */
export class RevocationList {
  readonly #serials = new Set<string>();
  /** By `ROLE NAME`. */
  readonly #untilMs = new Map<string, number>();

  constructor(revocations: readonly Revocation[] = []) {
    for (const each of revocations) {
      if ('serial' in each) this.#serials.add(each.serial.toUpperCase());
      else {
        const key = keyOf(each.role, each.name);
        this.#untilMs.set(key, Math.max(each.untilMs, this.#untilMs.get(key) ?? 0));
      }
    }
  }

  /** Reads a list. Throws a sentence that names the line which is none. */
  static parse(text: string): RevocationList {
    return new RevocationList(parseRevocations(text));
  }

  /** Certificates and names. */
  get size(): number {
    return this.#serials.size + this.#untilMs.size;
  }

  /** Whether a certificate is good no more. */
  has({ serial, validFromMs, identity }: RevocableCertificate): boolean {
    if (this.#serials.has(serial.toUpperCase())) return true;
    if (identity === undefined) return false;
    return validFromMs <= this.untilMs(identity);
  }

  /** Until when certificates of somebody must have begun to be good no more, in milliseconds since 1970; 0: none are. */
  untilMs({ name, role }: CertifiedIdentity): number {
    return Math.max(
      this.#untilMs.get(keyOf(role, name)) ?? 0,
      this.#untilMs.get(keyOf(undefined, name)) ?? 0,
    );
  }
}

/** What stands in a list, in its order. Throws a sentence that names the line which is none. */
export function parseRevocations(text: string): Revocation[] {
  const found = text.split('\n').flatMap((line, at): Revocation[] => {
    const [first, second, third, ...rest] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/);
    if (first === '' || first === undefined) return [];
    const serial = asSerial(second ?? '');
    if (first === 'serial' && serial !== undefined && third === undefined) return [{ serial }];
    const untilMs = Date.parse(third ?? '');
    const role = isRole(first) ? first : undefined;
    const isName = (role !== undefined || first === anyRole) && isIdentityName(second ?? '');
    if (isName && !Number.isNaN(untilMs) && rest.length === 0) return [{ name: second ?? '', role, untilMs }];
    throw new Error(
      `line ${at + 1} revokes nothing: give serial HEX, or ROLE NAME TIME (${anyRole} for every role), as \`shoal certs revoke\` writes them`,
    );
  });
  return found;
}

/** A line of a list. */
export function revocationLine(revocation: Revocation): string {
  if ('serial' in revocation) return `serial ${revocation.serial}`;
  const { name, role = anyRole, untilMs } = revocation;
  return `${role} ${name} ${new Date(untilMs).toISOString()}`;
}

/** A serial number out of what people write, with colons or without; undefined for what can be none. */
export function asSerial(text: string): string | undefined {
  const serial = text.replaceAll(':', '').toUpperCase();
  return serialNumber.test(serial) ? serial : undefined;
}

const keyOf = (role: Role | undefined, name: string): string => `${role ?? anyRole} ${name}`;
