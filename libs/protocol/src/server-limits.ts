import { limits } from './limits.ts';

/** What a server allows those who connect and call. */
export interface ServerLimits {
  /** Connections that are open at once. */
  readonly maxConnections: number;
  /** Those of them that come from one address. */
  readonly maxConnectionsPerPeer: number;
  /** From the connection to its first byte. */
  readonly firstByteMs: number;
  /** From the first byte to the end of the handshakes, that of TLS and that of HTTP/2. */
  readonly handshakeMs: number;
  /** From there to the first call of somebody who is known. */
  readonly authenticationMs: number;
  /** A connection without a call is closed after so long. */
  readonly idleMs: number;
  /** After so much silence a connection is asked for a sign of life. */
  readonly keepaliveMs: number;
  /** One that gives none for so long is closed. */
  readonly keepaliveTimeoutMs: number;
  /** Calls that a connection has open at once. */
  readonly maxStreamsPerConnection: number;
  /** What a connection may hold in memory, in steps of 1 MiB. */
  readonly maxSessionMemoryBytes: number;
  /** What a caller may send of a call before it was read. */
  readonly streamWindowBytes: number;
  /** One message, packed and unpacked. */
  readonly maxMessageBytes: number;
  /** Names and values of a call's metadata. */
  readonly maxMetadataBytes: number;
}

/** What holds where nobody says another. */
export const defaultServerLimits: ServerLimits = {
  maxConnections: limits.connections.default,
  maxConnectionsPerPeer: limits.connectionsPerPeer.default,
  firstByteMs: limits.firstByteMs.default,
  handshakeMs: limits.handshakeMs.default,
  authenticationMs: limits.authenticationMs.default,
  idleMs: limits.idleMs.default,
  keepaliveMs: limits.keepaliveMs.default,
  keepaliveTimeoutMs: limits.keepaliveTimeoutMs.default,
  maxStreamsPerConnection: limits.concurrentStreams.default,
  maxSessionMemoryBytes: limits.sessionMemoryBytes.default,
  streamWindowBytes: limits.streamWindowBytes.default,
  maxMessageBytes: limits.messageBytes.default,
  maxMetadataBytes: limits.metadataBytes.default,
};
