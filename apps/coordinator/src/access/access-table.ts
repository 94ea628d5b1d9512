import type { Role } from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import type { Identity } from './identity.ts';

/** Who may call a method: those of these roles; anyone, known or not. */
export type Callers = readonly Role[] | 'anyone';

const submitters: Callers = ['client', 'admin'];
/** Of its own jobs a client sees everything; of others' jobs it does not even hear that they exist. */
const watchers: Callers = ['client', 'viewer', 'admin'];
const everyRole: Callers = ['client', 'agent', 'viewer', 'admin'];

/**
 * Who may call what: every method of every service. What is not listed, nobody may.
 *
 * Beyond it, what a message asks for has to be the caller's own: see message-rules.ts.
 */
export const accessTable: Readonly<Record<string, Callers>> = {
  '/shoal.v1.JobService/CreateJob': submitters,
  '/shoal.v1.JobService/PushItems': submitters,
  '/shoal.v1.JobService/ReadResults': submitters,
  '/shoal.v1.JobService/AcknowledgeResults': submitters,
  '/shoal.v1.JobService/GetJob': watchers,
  '/shoal.v1.JobService/ListJobs': watchers,
  '/shoal.v1.JobService/WatchJob': watchers,
  '/shoal.v1.JobService/CancelJob': submitters,
  '/shoal.v1.JobService/Map': submitters,
  '/shoal.v1.JobService/HoldGroup': submitters,

  '/shoal.v1.BundleService/HasBundles': submitters,
  '/shoal.v1.BundleService/PutBundle': submitters,
  // The code of others is for those who run it.
  '/shoal.v1.BundleService/GetBundle': ['agent', 'admin'],
  '/shoal.v1.BundleService/NameBundle': submitters,
  '/shoal.v1.BundleService/ListBundles': watchers,

  '/shoal.v1.AgentService/Control': ['agent'],
  '/shoal.v1.AgentService/Data': ['agent'],

  '/shoal.v1.ClusterService/GetStatus': everyRole,
  '/shoal.v1.ClusterService/ListAgents': watchers,
  '/shoal.v1.ClusterService/DrainAgent': ['admin'],
  '/shoal.v1.ClusterService/ResumeAgent': ['admin'],
  '/shoal.v1.ClusterService/WatchEvents': ['viewer', 'admin'],

  '/shoal.v1.AccessService/CreateJoinToken': ['admin'],
  '/shoal.v1.AccessService/ListJoinTokens': ['admin'],
  '/shoal.v1.AccessService/RevokeJoinToken': ['admin'],
  // The token in the message is what counts.
  '/shoal.v1.AccessService/JoinCluster': 'anyone',
  '/shoal.v1.AccessService/RenewCertificate': ['agent'],

  // Probes of load balancers show no certificate. They learn that something serves here, which they knew.
  '/grpc.health.v1.Health/Check': 'anyone',
  '/grpc.health.v1.Health/Watch': 'anyone',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': everyRole,
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': everyRole,
};

/** The methods of a server that the table forgot, which nobody could call. A coordinator refuses to start with one. */
export function unlisted(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !Object.hasOwn(accessTable, path));
}

/**
 * Whether a caller may call a method. `caller` is why nobody is known, where nobody is.
 *
 * Throws that very error, or `PERMISSION_DENIED` with who it is for.
 */
export function checkAccess(path: string, caller: Identity | ShoalError): void {
  const callers = Object.hasOwn(accessTable, path) ? accessTable[path] : undefined;
  if (callers === 'anyone') return;
  if (caller instanceof ShoalError) throw caller;
  if (callers?.some((role) => caller.roles.has(role))) return;
  throw new ShoalError('PERMISSION_DENIED', {
    who: caller.words,
    what: path.slice(path.lastIndexOf('.') + 1).replace('/', '.'),
    allowed: callers?.join(', ') ?? 'nobody',
  });
}
