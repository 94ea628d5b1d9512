/**
 * What users import. Light on purpose: task modules import it in every child process, so gRPC, esbuild and the cluster
 * client are loaded inside `connect`.
 */
import type { ConnectOptions } from '@shoal/client';
import type { MapPool } from '@shoal/pool';

export type { ConnectOptions, TlsOptions } from '@shoal/client';
export {
  type ErrorCode,
  InitializerError,
  type ItemAttempt,
  ItemError,
  type ItemErrorCode,
  JobCancelledError,
  PoolClosedError,
  PoolTerminatedError,
  RemoteError,
  ShoalError,
  TimeoutError,
} from '@shoal/errors';
export {
  type Broadcast,
  current,
  type Items,
  type Job,
  type JobEventName,
  type JobEvents,
  type JobListener,
  type MapOptions,
  type MapPool,
  type MapProgress,
  type ModuleOptions,
  type NextOptions,
  Pool,
  type PoolOptions,
  type PoolStats,
  PrintWriter,
  type ProcessStats,
  type ResultStream,
  type RetryOptions,
  type Settled,
  type StreamOptions,
  type SubmitOptions,
  type TaskContext,
  type TaskFunction,
  type TaskModule,
  task,
  type WaitOptions,
} from '@shoal/pool';

/**
 * Connects to a cluster: `await using pool = await connect('127.0.0.1:7300')`. What it resolves to has the interface of
 * `new Pool()`, and its options: they are the defaults of every job of this connection.
 *
 * `address` is `HOST:PORT` of the coordinator. An address on another machine needs `tls`, and most coordinators there
 * want to know who calls: a certificate in `tls`, or a `token`. See docs/several-machines.md.
 * Rejects with CANNOT_CONNECT, VERSION_MISMATCH, INSECURE_CONNECT, TLS_FAILED or UNAUTHENTICATED, or with what is wrong
 * with an option.
 */
export async function connect(address: string, options?: ConnectOptions): Promise<MapPool> {
  const client = await import('@shoal/client');
  return client.connect(address, options);
}
