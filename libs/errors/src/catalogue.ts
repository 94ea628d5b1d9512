/**
 * The catalogue of every error that Shoal reports: one row a code.
 *
 * A row holds the message (a template over the error's facts), what to do about it, whether trying again can help
 * and the gRPC status that carries it. `docs/errors.md` is generated from here, and the wire carries the same facts
 * (`google.rpc.ErrorInfo`: reason = the code, metadata = the facts), so that a message can be rebuilt anywhere.
 */

import type { ErrorCode } from './error-code.ts';

/** The gRPC status names that Shoal uses (the numbers are those of the gRPC specification). */
export type GrpcStatusName =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'INTERNAL'
  | 'UNAVAILABLE';

/** One row of the catalogue. */
export interface CatalogueRow {
  /** What happened, to what and where; `{name}` is replaced by the fact of that name. */
  readonly message: string;
  /** What the reader can do about it; empty where the message says it all. */
  readonly remedy: string;
  /** Whether the very same call can succeed later without a change. */
  readonly retryable: boolean;
  /** The status that carries this error over gRPC. */
  readonly grpcStatus: GrpcStatusName;
}

const row = (
  message: string,
  remedy: string,
  grpcStatus: GrpcStatusName,
  retryable: boolean = false,
): CatalogueRow => ({ message, remedy, retryable, grpcStatus });

/** Every error code of Shoal with its row. Codes are stable; wording may improve. */
export const catalogue: Readonly<Record<ErrorCode, CatalogueRow>> = {
  // -- items ---------------------------------------------------------------------------------------------------
  ITEM_THREW: row('Item {index} failed: {reason} ({where}).', '{others}', 'ABORTED'),
  ITEM_KILLED_CHILD: row(
    'Item {index} killed its process {deaths} ({where}). It was set aside; all others ran.',
    'Run the function on this item alone to see why; lower memory use or raise the limit if it ran out of memory.',
    'ABORTED',
  ),
  ITEM_TIMED_OUT: row(
    'Item {index} ran longer than {limit} on {where} and its process was replaced.',
    'Raise timeoutMs or split the item.',
    'DEADLINE_EXCEEDED',
  ),
  ITEM_LOST: row(
    'Item {index} was lost {losses} with what ran it: an agent or a fork server that is gone, or a process that was ended for another item ({where}).',
    'Look at what ends the agents (shoal status) or the fork servers (stats().starts); raise retries.lost if the item may run again.',
    'ABORTED',
    true,
  ),
  ITEM_TOO_LARGE: row(
    'Item {index} is {size}; the limit is {limit} ({option}).',
    'Send a reference (a path, a key) in place of the data, or raise the limit.',
    'RESOURCE_EXHAUSTED',
  ),
  RESULT_TOO_LARGE: row(
    'Result of item {index} is {size}; the limit is {limit} ({option}).',
    'Return a reference (a path, a key) in place of the data, or raise the limit.',
    'RESOURCE_EXHAUSTED',
  ),
  RESULT_UNREADABLE: row(
    'The result of item {index} cannot be read: what {where} sent in its place is no result ({reason}).',
    'The function, or what it imports, replaces what its process writes results with (node:v8, built-in objects): find out what does. It may have run; nothing of it is known.',
    'ABORTED',
  ),
  VALUE_NOT_PORTABLE: row('{what} cannot be sent: {path} is {kind}.', 'Send plain data.', 'INVALID_ARGUMENT'),
  ARGUMENTS_NOT_LIST: row(
    'Item {index} of starmap is {kind}, which is no list of arguments.',
    'Put the arguments of each call into an array, or use map for functions of one argument.',
    'INVALID_ARGUMENT',
  ),
  BROADCAST_TOO_LARGE: row(
    'The value to broadcast is {size}, beside {others} that this pool has broadcast before; the limit is {limit} (maxBroadcastBytes).',
    'Release those that no job needs any more, send a reference (a path, a key) in place of the data, or raise the limit.',
    'RESOURCE_EXHAUSTED',
  ),
  BROADCAST_RELEASED: row(
    'The broadcast value {sha256} was released before it was read here.',
    'Release it, or end its pool, when no task needs it any more.',
    'FAILED_PRECONDITION',
  ),
  // -- task functions ------------------------------------------------------------------------------------------
  TASK_NOT_PORTABLE: row(
    '{task} uses {names} from its surrounding scope ({where}).',
    'Export it from a module, or pass what it needs inside each item.',
    'INVALID_ARGUMENT',
  ),
  TASK_EXPORT_MISSING: row(
    '{module} has no export "{name}". Exports: {exports}.',
    '{suggestion}',
    'NOT_FOUND',
  ),
  TASK_LOAD_FAILED: row('{module} cannot be loaded: {reason}.', '{hint}', 'INVALID_ARGUMENT'),
  TASK_BUNDLE_FAILED: row(
    '{module} cannot be bundled for the cluster: {reason}.',
    '{hint}',
    'INVALID_ARGUMENT',
  ),
  INITIALIZER_FAILED: row(
    'The initializer failed in {where}: {reason}.',
    'Nothing was run. Repair the initializer; it runs once in every child.',
    'FAILED_PRECONDITION',
  ),
  CHILD_START_FAILED: row(
    'No child process could be started: {reason}.',
    'Where Node refuses an option, look at execArgv; where open files are too many (EMFILE), raise their limit (ulimit -n); elsewhere look at the limits of processes and memory of this machine.',
    'UNAVAILABLE',
    true,
  ),
  ISOLATION_NOT_AVAILABLE: row(
    'Isolation "{level}" is not to be had {where}: {reason}.',
    '{hint}',
    'FAILED_PRECONDITION',
  ),
  POOL_IN_TASK_MODULE: row(
    'A Pool was created while a child was loading its task module ({module}); each child would start children of its own.',
    'Put the code that starts the pool behind `if (import.meta.main)`, or in another file.',
    'FAILED_PRECONDITION',
  ),
  POOL_IN_CLUSTER_TASK: row(
    '{what} was called in a task on a cluster: a job that waits for another holds its slot, and with every slot held so none of them would ever end.',
    'Map the inner items from the caller, as a job of their own; a task of a local pool may open a Pool.',
    'FAILED_PRECONDITION',
  ),
  // -- pools and jobs ------------------------------------------------------------------------------------------
  POOL_CLOSED: row('This pool is closed: it takes no new work.', '', 'FAILED_PRECONDITION'),
  POOL_TERMINATED: row(
    'This pool was terminated; what was pending did not finish.',
    "Await it before an `await using` block ends (`return await pool.map(…)`), or set onDispose: 'drain'.",
    'CANCELLED',
  ),
  POOL_NOT_CLOSED: row(
    'join() waits for a closed pool.',
    'Call close() or terminate() first.',
    'FAILED_PRECONDITION',
  ),
  JOB_CANCELLED: row('The job was cancelled: {reason}.', '', 'CANCELLED'),
  JOB_DEADLINE: row(
    'The job did not finish within its deadline of {limit}{wait}.',
    'Raise deadlineMs{hint}.',
    'DEADLINE_EXCEEDED',
  ),
  JOB_NOT_FOUND: row(
    'There is no job {job}.',
    'It may have ended: an ephemeral job is forgotten soon after.',
    'NOT_FOUND',
  ),
  JOB_NOT_READY: row(
    'The job is not ready: whether it was successful is not known yet.',
    'Await result() or wait() first.',
    'FAILED_PRECONDITION',
    true,
  ),
  JOB_EXISTS: row(
    'Request {requestId} was used before for another job.',
    'Use a new request id for each job.',
    'ALREADY_EXISTS',
  ),
  RESULT_ACKNOWLEDGED: row(
    'Results before {cursor} were acknowledged and are gone; {index} was asked for.',
    'Read on from the cursor.',
    'OUT_OF_RANGE',
  ),
  TIMED_OUT: row('{what} took longer than {limit}.', '', 'DEADLINE_EXCEEDED', true),
  ITEMS_OUT_OF_STEP: row(
    'Job {job} has accepted {next} {next:item|items}; a stream that begins with item {index} does not fit.',
    'Go on with item {next}.',
    'OUT_OF_RANGE',
  ),
  STREAM_REPLACED: row('A newer {what} stream of job {job} took the place of this one.', '', 'ABORTED'),
  LIMIT_REACHED: row(
    '{what}: {value} is over the limit of {limit} ({option}).',
    '',
    'RESOURCE_EXHAUSTED',
    true,
  ),
  REQUEST_INVALID: row('{field}: {reason}.', '', 'INVALID_ARGUMENT'),
  // -- bundles -------------------------------------------------------------------------------------------------
  BUNDLE_NOT_FOUND: row(
    'There is no bundle {bundle}.',
    'Push it first: shoal bundle push NAME@VERSION FILE.',
    'NOT_FOUND',
  ),
  BUNDLE_EXISTS: row(
    'Bundle {bundle} exists with other content; a version never changes.',
    'Push it under a new version.',
    'ALREADY_EXISTS',
  ),
  BUNDLE_CORRUPT: row(
    'The bundle announced as {announced} has the hash {actual}.',
    'Send it again.',
    'INVALID_ARGUMENT',
  ),
  BUNDLE_NOT_STORED: row(
    'Bundle {bundle} cannot be stored in {folder}: {reason}.',
    'Free some room there, or choose another folder: shoal agent --bundle-dir DIR. Until then its work goes to other agents.',
    'RESOURCE_EXHAUSTED',
    true,
  ),
  // -- cluster -------------------------------------------------------------------------------------------------
  NO_AGENTS: row(
    '{items} {items:item waits|items wait} and 0 agents are connected.',
    'Start one: shoal agent --join {address}',
    'UNAVAILABLE',
    true,
  ),
  AGENT_LOST: row(
    '{agent} has been silent for {silence}. Its {items} unfinished {items:item was|items were} given to others; no finished result was lost.',
    '',
    'UNAVAILABLE',
    true,
  ),
  AGENT_LIED: row(
    'Agent {agent} broke the protocol: {said}. Its session was ended and its unfinished items were given to others.',
    'Upgrade it. If it is of this release, find out what speaks in its name.',
    'INVALID_ARGUMENT',
  ),
  AGENT_NAME_TAKEN: row(
    'An agent named {agent} is connected already.',
    'Give each agent a name of its own: shoal agent --name NAME; and where it has a certificate, a folder of its own: --tls-dir DIR.',
    'ALREADY_EXISTS',
  ),
  AGENT_NOT_FOUND: row('There is no agent {agent}. Agents: {agents}.', '{suggestion}', 'NOT_FOUND'),
  TOKEN_NOT_FOUND: row(
    'There is no token {token} to join with that could be taken back: it was used, has expired, or never was.',
    'shoal token ls lists those that can be used. The certificate that one was exchanged for is taken back by shoal certs revoke.',
    'NOT_FOUND',
  ),
  COORDINATOR_STOPPING: row(
    'The coordinator is stopping and takes no new jobs.',
    'Try again when it is back.',
    'UNAVAILABLE',
    true,
  ),
  NO_ROOM: row(
    'The coordinator has no room for the items and results of job {job}: {reason}.',
    'Take results sooner, give the coordinator more room (--max-payload-bytes, --max-spill-bytes), or free its disk.',
    'RESOURCE_EXHAUSTED',
    true,
  ),
  SESSION_STALE: row(
    'Session {session} is over: a newer one took its place.',
    'Join again.',
    'FAILED_PRECONDITION',
  ),
  ENCODING_NOT_ACCEPTED: row(
    'Encoding {encoding} is not accepted here; accepted: {accepted}.',
    '',
    'INVALID_ARGUMENT',
  ),
  VERSION_MISMATCH: row('{versions}.', 'Upgrade {outdated}.', 'FAILED_PRECONDITION'),
  CANNOT_CONNECT: row(
    'Cannot reach coordinator {address} ({reason}, tried {tries} in {elapsed}).',
    'Is it running? Start one: shoal coordinator, or shoal dev.',
    'UNAVAILABLE',
    true,
  ),
  CONNECTION_LOST: row(
    'The connection to coordinator {address} was lost ({reason}).',
    'Try again once it answers: shoal doctor --address {address}. A job that was under way begins anew.',
    'UNAVAILABLE',
    true,
  ),
  INSECURE_LISTEN: row(
    'Refused to listen on {address}: whoever reaches it could run code on every agent, and nothing protects it.',
    'Two commands protect it: `shoal certs init --tls-dir shoal-tls`, then `shoal coordinator --listen {address} --tls-dir shoal-tls`. (Or listen on 127.0.0.1; or pass --insecure if the network is private.)',
    'FAILED_PRECONDITION',
  ),
  INSECURE_CONNECT: row(
    'Refused to connect to {address}: code, items and results would travel where others can read and change them.',
    '{hint} Or pass insecure: true (--insecure) if the network is private.',
    'FAILED_PRECONDITION',
  ),
  TLS_FAILED: row('No safe connection to {address}: {reason}.', '{hint}', 'UNAVAILABLE'),
  UNAUTHENTICATED: row('The coordinator does not know who calls: {reason}.', '{hint}', 'UNAUTHENTICATED'),
  TOO_MANY_TRIES: row(
    'Too many wrong tokens came from {peer}: no token from there is looked at for {wait}.',
    'Wait, and compare the token with the token file of the coordinator. Certificates are not affected.',
    'RESOURCE_EXHAUSTED',
    true,
  ),
  PERMISSION_DENIED: row(
    '{who} may not do this: {what} is for {allowed}.',
    'Ask whoever runs the cluster for it: shoal certs issue NAME --role ROLE.',
    'PERMISSION_DENIED',
  ),
  NO_AUTHORITY: row(
    'This coordinator makes no certificates: {reason}.',
    'Start it with --tls-dir and a folder that holds ca.key, the one in which shoal certs init was run.',
    'FAILED_PRECONDITION',
  ),
  ADDRESS_IN_USE: row(
    '{address} is in use by another process.',
    'Stop it, or choose another port with {option}.',
    'UNAVAILABLE',
    true,
  ),
  // -- command line --------------------------------------------------------------------------------------------
  INPUT_INVALID: row('{source}, line {line}: {reason}.', '', 'INVALID_ARGUMENT'),
  FILE_NOT_USABLE: row('{path}: {reason}.', '', 'NOT_FOUND'),
  USAGE: row('{reason}.', '{hint}', 'INVALID_ARGUMENT'),
  INTERNAL: row('A fault of Shoal itself: {reason}.', 'Please report it with the lines above.', 'INTERNAL'),
};

/** Whether a string is a code of the catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code);
}
