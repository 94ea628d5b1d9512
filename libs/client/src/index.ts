/** `connect()`: a pool over a cluster; and a client for those who run one. Loads gRPC: import it when it is needed. */

export type { Bundle } from './bundle/bundle.ts';
export type { TlsOptions } from './client-security.ts';
export { ClusterClient, type NamedModule } from './cluster-client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { ConnectionOptions } from './connection-options.ts';
