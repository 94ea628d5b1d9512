import {
  type BearerToken,
  type CertifiedIdentity,
  digestOf,
  identityOfSubject,
  parseJoinToken,
  RevocationList,
  roles,
  type SubjectFields,
  sameDigest,
} from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import type { Identity } from './identity.ts';

/** What a caller showed. */
export interface Shown {
  /** Its certificate: the subject of one that our authority signed, or why it does not count; undefined: none. */
  readonly certificate:
    | {
        readonly subject: SubjectFields;
        readonly serial?: string;
        readonly validFromMs?: number;
        readonly validToMs?: number;
      }
    | { readonly problem: string }
    | undefined;
  /** The header `authorization`, as it came. */
  readonly authorization: string | undefined;
}

interface KnownToken {
  readonly digest: Buffer;
  readonly identity: Identity;
}

const issueHint = 'Ask whoever runs the cluster for a certificate: shoal certs issue NAME --role ROLE.';
const joinHint = 'An agent joins again with a new token: shoal token create --role agent.';

/** Tells who calls, out of what was shown. Holds digests of the tokens and not the tokens. */
export class Identification {
  #tokens: readonly KnownToken[] = [];
  readonly #revoked: () => RevocationList;

  /** `revoked` gives the certificates that are good no more, as of now. */
  constructor(tokens: readonly BearerToken[], revoked: () => RevocationList = () => nothing) {
    this.#revoked = revoked;
    this.replaceTokens(tokens);
  }

  /** From now on these are the tokens that count. */
  replaceTokens(tokens: readonly BearerToken[]): void {
    this.#tokens = tokens.map(({ secret, role }) => {
      const digest = digestOf(secret);
      // Not by its line: what belongs to a bearer stays his when another line is taken out.
      const token = digest.toString('hex').slice(0, 16);
      return {
        digest,
        identity: {
          id: `token ${token}`,
          name: undefined,
          token,
          roles: new Set(role === undefined ? roles : [role]),
          words: `the bearer of ${role === undefined ? 'the' : `a ${role}`} token`,
        },
      };
    });
  }

  /** Why somebody who was let in is not known any more: what he showed was taken back. Undefined: he is. */
  lost({ certificate, token }: Identity): ShoalError | undefined {
    if (certificate !== undefined && this.#revoked().has(certificate)) return revoked(certificate.identity);
    if (token === undefined || this.#tokens.some(({ identity }) => identity.token === token))
      return undefined;
    return unknown('its token was taken out of the token file of the coordinator', 'Ask for another one.');
  }

  /** Whether a certificate was shown that is good no more: whatever token comes with it, that is not even looked at. */
  showsRevoked({ certificate }: Shown): boolean {
    return this.#revocationOf(certificate) !== undefined;
  }

  /** The caller; or an `UNAUTHENTICATED` error with why nobody is known. What was shown and is wrong counts as such. */
  identify(shown: Shown): Identity | ShoalError {
    // Whoever lost a machine may have lost the token on it as well: what was taken back is not made good by a secret.
    const { authorization, certificate } = shown;
    const revocation = this.#revocationOf(certificate);
    if (revocation !== undefined) return revocation;
    const bearer = authorization === undefined ? undefined : this.#bearer(authorization);
    if (bearer instanceof ShoalError) return bearer;
    const holder = certificate === undefined ? undefined : holderOf(certificate);
    // A token says who somebody is where the certificate does not: a server's own, say, in a folder with everything.
    if (holder instanceof ShoalError) return bearer ?? holder;
    if (holder !== undefined && bearer !== undefined) {
      return { ...holder, token: bearer.token, roles: new Set([...holder.roles, ...bearer.roles]) };
    }
    return (
      holder ??
      bearer ??
      unknown(
        'neither a certificate nor a token was shown',
        `Give --tls-dir (tls in code) or SHOAL_TOKEN (token in code). ${issueHint}`,
      )
    );
  }

  #revocationOf(certificate: Shown['certificate']): ShoalError | undefined {
    if (certificate === undefined || 'problem' in certificate || certificate.serial === undefined)
      return undefined;
    const { serial, subject, validFromMs = 0 } = certificate;
    const identity = identityOfSubject(subject);
    return this.#revoked().has({ serial, validFromMs, identity }) ? revoked(identity) : undefined;
  }

  #bearer(authorization: string): Identity | ShoalError {
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    if (token === undefined) return unknown('the header "authorization" is no bearer token', issueHint);
    if (parseJoinToken(token) !== undefined) {
      return unknown(
        'a token to join with was shown, which opens nothing else',
        'Join with it: shoal agent --join HOST:PORT --token FILE.',
      );
    }
    const digest = digestOf(token);
    // Every one is compared, whichever fits: the time that it takes tells nothing.
    const found = this.#tokens.filter((known) => sameDigest(known.digest, digest))[0];
    return (
      found?.identity ??
      unknown('its token is none of this coordinator', 'Compare it with the token file of the coordinator.')
    );
  }
}

function holderOf(certificate: NonNullable<Shown['certificate']>): Identity | ShoalError {
  if ('problem' in certificate) {
    const [reason, hint] = problems[certificate.problem] ?? [
      `its certificate is not good (${certificate.problem})`,
    ];
    return unknown(reason, hint ?? issueHint);
  }
  const found = identityOfSubject(certificate.subject);
  if (found === undefined) return unknown('its certificate names no role in this cluster', issueHint);
  const { name, role } = found;
  const { serial, validFromMs = 0, validToMs } = certificate;
  return {
    id: `${role} ${name}`,
    name,
    validToMs,
    certificate: serial === undefined ? undefined : { serial, validFromMs, identity: found },
    roles: new Set([role]),
    words: `${role} ${name}`,
  };
}

const nothing = new RevocationList();

const revoked = (holder: CertifiedIdentity | undefined): ShoalError =>
  unknown('its certificate was revoked', holder?.role === 'agent' ? joinHint : issueHint);

const foreign = [
  'its certificate was signed by another authority than that of this cluster',
  issueHint,
] as const;

/** By OpenSSL's names. */
const problems: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  CERT_HAS_EXPIRED: [
    'its certificate has expired',
    'An agent joins again with a new token (shoal token create --role agent); others get a new one: shoal certs issue NAME --role ROLE.',
  ],
  CERT_NOT_YET_VALID: ['its certificate is not good yet', 'Compare the clocks of both machines.'],
  DEPTH_ZERO_SELF_SIGNED_CERT: foreign,
  SELF_SIGNED_CERT_IN_CHAIN: foreign,
  UNABLE_TO_GET_ISSUER_CERT: foreign,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: foreign,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: foreign,
  CERT_SIGNATURE_FAILURE: foreign,
  INVALID_PURPOSE: ['its certificate is one for servers', issueHint],
};

const unknown = (reason: string, hint: string): ShoalError =>
  new ShoalError('UNAUTHENTICATED', { reason, hint });
