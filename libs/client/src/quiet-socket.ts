import type { ChannelCredentials } from '@grpc/grpc-js';
import { DialCredentials } from '@shoal/protocol';
import type { ClientSecurity } from './client-security.ts';

/**
 * Credentials of a connection whose socket never keeps this process from exiting.
 *
 * grpc-js holds its socket while a call is open, and a stream of results is open as long as its job runs: a process that
 * has dropped the stream would never end. Whether somebody waits is known elsewhere, by whoever made the call.
 */
export function quietCredentials({ tls, token }: ClientSecurity): ChannelCredentials {
  return new DialCredentials({
    tls,
    token,
    onSocket: (socket) => {
      socket.unref();
      // What grpc-js calls at the start of each call.
      socket.ref = () => socket;
    },
  });
}
