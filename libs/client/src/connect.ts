import {
  type ChildInitializer,
  checkPoolOptions,
  initArgsOf,
  type MapPool,
  type PoolOptions,
  resolveTask,
  surfaceOver,
} from '@shoal/pool';
import { parseAddress } from './address.ts';
import { securityOf } from './client-security.ts';
import { ClusterBackend } from './cluster-backend.ts';
import { clusterSetupOf } from './cluster-setup.ts';
import { Connection } from './connection.ts';
import { type ConnectionOptions, connectionLimits, splitOptions } from './connection-options.ts';

/** Options of {@link connect}: those of the connection, and those of a pool as defaults for every job of it. */
export interface ConnectOptions extends PoolOptions, ConnectionOptions {}

/**
 * Connects to a cluster: `await using pool = await connect('coordinator:7300')`. The result is what `new Pool()` is on one
 * machine.
 *
 * `address` is `HOST:PORT`; the port is 7300 if left out. Of the options, `processes` caps the slots that the jobs of
 * this connection use at once, anywhere in the cluster (default: all there are); `initializer` runs in every child that
 * serves them; `env` names the variables of this process, or gives those, that travel to the children (default: none).
 *
 * Rejects with CANNOT_CONNECT (after `connectTimeoutMs`), VERSION_MISMATCH, INSECURE_CONNECT, TLS_FAILED,
 * UNAUTHENTICATED, FILE_NOT_USABLE, a TypeError or RangeError that names a bad option, or with the reason of `signal`.
 * Work that is running when the coordinator cannot be reached for `reconnectTimeoutMs` rejects with CONNECTION_LOST. An
 * idle connection does not keep its process from exiting.
 */
export async function connect(address: string, options: ConnectOptions = {}): Promise<MapPool> {
  const target = parseAddress(address);
  const { connectionOptions, given } = splitOptions(options);
  // Agents may fork what says nothing of it.
  const poolOptions = checkPoolOptions(given, undefined);
  const bounds = connectionLimits(connectionOptions);
  const { signal } = connectionOptions;
  const security = await securityOf(target, connectionOptions);
  const setup = clusterSetupOf(poolOptions);
  const initializer = await initializerOf(poolOptions);
  const connection = await Connection.open(target, bounds, security, signal);
  const { processes } = poolOptions;
  const backend = new ClusterBackend({ connection, processes, setup, initializer });
  return surfaceOver(backend, poolOptions, initializer?.broadcasts);
}

async function initializerOf(options: PoolOptions): Promise<ChildInitializer | undefined> {
  const { initializer } = options;
  const args = initArgsOf(options);
  if (initializer === undefined || args === undefined) return undefined;
  return { task: await resolveTask(initializer, undefined, 'initializer'), ...args };
}
