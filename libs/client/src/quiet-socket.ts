import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

/**
 * Credentials of a plain connection whose socket never keeps this process from exiting.
 *
 * grpc-js holds its socket while a call is open, and a stream of results is open as long as its job runs: a process that
 * has dropped the stream would never end. Whether somebody waits is known elsewhere, by whoever made the call.
 */
export function quietCredentials(): ChannelCredentials {
  const plain = credentials.createInsecure();
  const connectorOf = plain._createSecureConnector.bind(plain);
  // The one place where grpc-js shows its socket.
  plain._createSecureConnector = (...from) => {
    const connector = connectorOf(...from);
    const connect = connector.connect.bind(connector);
    connector.connect = async (socket) => {
      const connected = await connect(socket);
      connected.socket.unref();
      // What it calls at the start of each call.
      connected.socket.ref = () => connected.socket;
      return connected;
    };
    return connector;
  };
  return plain;
}
