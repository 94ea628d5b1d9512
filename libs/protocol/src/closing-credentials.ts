import type { ChannelCredentials } from '@grpc/grpc-js';

/**
 * The same credentials, for channels that stay closed.
 *
 * Where a channel of grpc-js is closed while it waits for another try to connect, that try is made all the same, and
 * nobody is left to close what it opens: each try of ours that failed would leave a connection behind as soon as the
 * server is there. What the credentials make for it is told of the end, and can refuse.
 */
export function closingForGood(credentials: ChannelCredentials): ChannelCredentials {
  const connectorOf = credentials._createSecureConnector.bind(credentials);
  credentials._createSecureConnector = (...from) => {
    const connector = connectorOf(...from);
    const waitForReady = connector.waitForReady.bind(connector);
    const destroy = connector.destroy.bind(connector);
    let isClosed = false;
    connector.destroy = () => {
      isClosed = true;
      destroy();
    };
    // Awaited before each try to connect.
    connector.waitForReady = async () => {
      if (isClosed) throw new Error('The channel was closed.');
      await waitForReady();
    };
    return connector;
  };
  return credentials;
}
