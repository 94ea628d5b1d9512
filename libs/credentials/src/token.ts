import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isRole, type Role } from './role.ts';

/** 256 bits: nobody guesses it, however often he may try. */
const secretBytes = 32;
const secret = /^[A-Za-z0-9_-]{43,128}$/;
const joinToken = /^shoal-join\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

/** What stands in a token file: the secret, and what its bearer may do. */
export interface BearerToken {
  readonly secret: string;
  /** Undefined: everything. */
  readonly role: Role | undefined;
}

/** A new secret of 256 bits, 43 characters that any shell and file leaves alone. */
export function newSecret(): string {
  return randomBytes(secretBytes).toString('base64url');
}

/** A line of a token file: `client <secret>`, or the secret alone. */
export function bearerLine({ secret: text, role }: BearerToken): string {
  return role === undefined ? text : `${role} ${text}`;
}

/**
 * Reads a token file: one token a line, `[ROLE] SECRET`; empty lines and those that begin with `#` are skipped.
 *
 * Throws a sentence that names the line, and nothing of what stands there.
 */
export function parseBearerTokens(text: string): BearerToken[] {
  return text.split('\n').flatMap((line, at) => {
    const words = line.trim().split(/\s+/);
    if (line.trim() === '' || line.trim().startsWith('#')) return [];
    const [last = '', first] = [words.at(-1), words.length === 2 ? words[0] : undefined];
    if (words.length > 2 || (first !== undefined && !isRole(first)) || !secret.test(last)) {
      throw new Error(
        `line ${at + 1} is no token: give [client|agent|viewer|admin] and at least 43 letters, digits, "-" or "_", as \`shoal token generate\` makes them`,
      );
    }
    return [{ secret: last, role: isRole(first) ? first : undefined }];
  });
}

/** A one-time token to join a cluster with: what has to be shown to its coordinator, and how that is known. */
export interface JoinToken {
  readonly secret: string;
  /** Fingerprint of the certificate of the cluster's authority: a stranger cannot take the coordinator's place. */
  readonly authority: string;
}

/** The token as it is handed on: one word. */
export function formatJoinToken({ secret: text, authority }: JoinToken): string {
  return `shoal-join.${text}.${authority}`;
}

/**
 * Reads what {@link formatJoinToken} wrote, alone in its file but for what a token file may have, too: empty lines, and those that
 * begin with `#`. Undefined for anything else.
 */
export function parseJoinToken(text: string): JoinToken | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const [only, ...more] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const [, found, authority] = (more.length > 0 ? null : joinToken.exec(only ?? '')) ?? [];
  return found === undefined || authority === undefined ? undefined : { secret: found, authority };
}

/** Whether a text may be a token: something that nobody else should read. */
export function looksLikeToken(text: string): boolean {
  return parseJoinToken(text) !== undefined || secret.test(text);
}

/** SHA-256 of a secret, as it is kept by whoever has to recognise it. */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Compares two digests in a time that tells nothing of where they differ. */
export function sameDigest(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}
