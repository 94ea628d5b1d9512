import type { RevocableCertificate, Role } from '@shoal/credentials';

/** Who calls, as far as it was proven. */
export interface Identity {
  /** By which what belongs to it is known: the same for each of its connections. */
  readonly id: string;
  /** The name in its certificate; undefined for the bearer of a token. */
  readonly name: string | undefined;
  /** Until when its certificate is good; undefined for the bearer of a token. */
  readonly validToMs?: number | undefined;
  /** The certificate that it showed, and the token, each where it did: what may be taken back while it calls. */
  readonly certificate?: RevocableCertificate | undefined;
  /** By which its token is known; no secret. */
  readonly token?: string | undefined;
  readonly roles: ReadonlySet<Role>;
  /** As a message calls it: `client laptop`. */
  readonly words: string;
}

/** Whether it may see how every job is. */
export function seesEveryJob({ roles }: Identity): boolean {
  return roles.has('viewer') || roles.has('admin');
}
