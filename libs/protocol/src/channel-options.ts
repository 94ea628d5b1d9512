import type { Settings } from 'node:http2';
import type { ChannelOptions } from '@grpc/grpc-js';
import { limits } from './limits.ts';
import type { ServerLimits } from './server-limits.ts';

/** A connection that has died silently is noticed by either side; grpc-js by itself would notice nothing, ever. */
const keepalive: ChannelOptions = {
  'grpc.keepalive_time_ms': limits.keepaliveMs.default,
  'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs.default,
  // Also while no call is open: else the next call would find out.
  'grpc.keepalive_permit_without_calls': 1,
};

/** In whole MiB, as Node counts it. */
function sessionMemory(bytes: number): number {
  return Math.max(1, Math.floor(bytes / 2 ** 20));
}

const messages: ChannelOptions = {
  'grpc.max_receive_message_length': limits.messageBytes.default,
  // Whoever receives decides.
  'grpc.max_send_message_length': -1,
  'grpc-node.max_session_memory': sessionMemory(limits.sessionMemoryBytes.default),
  'grpc.enable_channelz': 0,
};

/** Options of our servers. */
export const serverOptions = ({
  idleMs,
  keepaliveMs,
  keepaliveTimeoutMs,
  maxMessageBytes,
  maxSessionMemoryBytes,
  maxStreamsPerConnection,
}: ServerLimits): ChannelOptions => ({
  ...keepalive,
  'grpc.keepalive_time_ms': keepaliveMs,
  'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
  ...messages,
  'grpc-node.max_session_memory': sessionMemory(maxSessionMemoryBytes),
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_concurrent_streams': maxStreamsPerConnection,
  'grpc.max_connection_idle_ms': idleMs,
});

/**
 * What a server grants its callers; grpc-js has no option for it. HTTP/2 begins with 65,535 bytes, which is a few bytes
 * less than a message of 64 KiB: each would wait for a word of the other side, and over a long line no call would be
 * faster than 64 KiB a round trip.
 */
export const serverSettings = ({ streamWindowBytes }: ServerLimits): Settings => ({
  initialWindowSize: streamWindowBytes,
});

/** Options of our clients. */
export const clientOptions: ChannelOptions = {
  // The same for what a server sends.
  'grpc-node.flow_control_window': limits.streamWindowBytes.default,
  ...keepalive,
  ...messages,
  // Retries are ours: a stream is opened again at its position, which gRPC cannot know.
  'grpc.enable_retries': 0,
  // The proxy of a browser or a package manager is no way to a coordinator.
  'grpc.enable_http_proxy': 0,
  // A service config from DNS is nothing that a user of Shoal knows of.
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5_000,
  // Connections are not shared between clients of one process: closing one must not matter to another.
  'grpc.use_local_subchannel_pool': 1,
};
