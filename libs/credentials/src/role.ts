/**
 * What a caller may do.
 *
 * - `client` submits jobs, and sees and ends its own.
 * - `agent` runs what it is given, and reports for itself.
 * - `viewer` sees how the cluster and its jobs are, and changes nothing.
 * - `admin` does what clients and viewers do, with every job, and takes agents out of service, and lets others in.
 */
export type Role = 'client' | 'agent' | 'viewer' | 'admin';

/** Every role. */
export const roles: readonly Role[] = ['client', 'agent', 'viewer', 'admin'];

/** Whether a text names a role. */
export function isRole(text: unknown): text is Role {
  return roles.includes(text as Role);
}

const nameCharsMax = 100;

/** Whether a text can be the name of somebody who holds a certificate: what the name of an agent can be. */
export function isIdentityName(text: string): boolean {
  return /^[\w.:-]+$/.test(text) && text.length <= nameCharsMax;
}

/** Who a certificate says its holder is. */
export interface CertifiedIdentity {
  readonly name: string;
  readonly role: Role;
}

/** Organisation in the subject of every identity's certificate: a CA that signs other things too makes no roles so. */
export const organisation = 'shoal';

/** The fields of a certificate's subject, as Node's TLS shows them: a field that comes twice is a list. */
export type SubjectFields = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Reads `O=shoal, OU=<role>, CN=<name>`. Undefined for any other subject: a certificate of the same CA that was made
 * for something else, or the coordinator's own.
 */
export function identityOfSubject(subject: SubjectFields): CertifiedIdentity | undefined {
  const { O: owner, OU: role, CN: name } = subject;
  if (owner !== organisation || !isRole(role)) return undefined;
  return typeof name === 'string' && isIdentityName(name) ? { name, role } : undefined;
}
