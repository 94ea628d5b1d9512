import {
  type BearerToken,
  digestOf,
  identityOfSubject,
  parseJoinToken,
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
    | { readonly subject: SubjectFields; readonly validToMs?: number }
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

/** Tells who calls, out of what was shown. Holds digests of the tokens and not the tokens. */
export class Identification {
  readonly #tokens: readonly KnownToken[];

  constructor(tokens: readonly BearerToken[]) {
    this.#tokens = tokens.map(({ secret, role }, at) => ({
      digest: digestOf(secret),
      identity: {
        id: `token ${at + 1}`,
        name: undefined,
        roles: new Set(role === undefined ? roles : [role]),
        words: `the bearer of ${role === undefined ? 'the' : `a ${role}`} token`,
      },
    }));
  }

  /** The caller; or an `UNAUTHENTICATED` error with why nobody is known. What was shown and is wrong counts as such. */
  identify({ authorization, certificate }: Shown): Identity | ShoalError {
    const bearer = authorization === undefined ? undefined : this.#bearer(authorization);
    if (bearer instanceof ShoalError) return bearer;
    const holder = certificate === undefined ? undefined : holderOf(certificate);
    // A token says who somebody is where the certificate does not: a server's own, say, in a folder with everything.
    if (holder instanceof ShoalError) return bearer ?? holder;
    if (holder !== undefined && bearer !== undefined) {
      return { ...holder, roles: new Set([...holder.roles, ...bearer.roles]) };
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
  return {
    id: `${role} ${name}`,
    name,
    validToMs: certificate.validToMs,
    roles: new Set([role]),
    words: `${role} ${name}`,
  };
}

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
