import { executionAsyncResource } from 'node:async_hooks';
import type { Socket } from 'node:net';
import type { ChannelCredentials } from '@grpc/grpc-js';

/** What was written before the end is on its way for a moment. */
const partingMs = 2_000;

/**
 * The same credentials, for channels that are over when they are closed.
 *
 * Where a channel of grpc-js is closed while it waits for another try to connect, that try is made all the same, and
 * nobody is left to close what it opens: each try of ours that failed would leave a connection behind as soon as the
 * server is there. And a connection whose other side has vanished stays open until keepalive notices, if ever. What the
 * credentials make for a connection is told of the end: it refuses the one and cuts the other.
 *
 * A connection that keepalive has given up ends its socket, and Node then waits for the other side to do so too: one that
 * has vanished never will, and each would cost this process a descriptor. It is cut as well.
 */
export function closingForGood(credentials: ChannelCredentials): ChannelCredentials {
  const connectorOf = credentials._createSecureConnector.bind(credentials);
  credentials._createSecureConnector = (...from) => {
    const connector = connectorOf(...from);
    const connect = connector.connect.bind(connector);
    const waitForReady = connector.waitForReady.bind(connector);
    const destroy = connector.destroy.bind(connector);
    const open = new Set<Socket>();
    let isClosed = false;
    const refuseWhenClosed = (): void => {
      if (isClosed) throw new Error('The channel was closed.');
    };
    // Awaited before each try to connect.
    connector.waitForReady = async () => {
      refuseWhenClosed();
      await waitForReady();
    };
    connector.connect = async (plain) => {
      const connected = await connect(plain);
      const { socket } = connected;
      if (isClosed) socket.destroy();
      refuseWhenClosed();
      open.add(socket);
      cutAfterEnd(socket);
      holdWhoEnds(socket);
      socket.once('close', () => open.delete(socket));
      return connected;
    };
    connector.destroy = () => {
      isClosed = true;
      const cut = (): void => {
        for (const socket of open) socket.destroy();
      };
      if (open.size > 0) setTimeout(cut, partingMs).unref();
      destroy();
    };
    return connector;
  };
  return credentials;
}

/** HTTP/2 ends its socket when all is over, not earlier: what the other side might still say is of no use. */
function cutAfterEnd(socket: Socket): void {
  const end: (...args: never[]) => Socket = socket.end.bind(socket);
  socket.end = (...args: never[]): Socket => {
    setTimeout(() => socket.destroy(), partingMs).unref();
    return end(...args);
  };
}

/**
 * A session of HTTP/2 that is over drops its native half, and the collector may take that at once. The halves of its
 * streams go in the next turn of the event loop; one that still has headers of which the end never came then has memory
 * of a session that is gone, and Node 24 ends the process for it (`current_nghttp2_memory_` in `~Http2Session`): any
 * server could end its caller. The native half is what runs when a session ends its socket, so it is held from there
 * until that turn is over.
 */
function holdWhoEnds(socket: Socket): void {
  const held = (): void => {
    setImmediate((_native: object) => {}, executionAsyncResource());
  };
  const end: (...args: never[]) => Socket = socket.end.bind(socket);
  const destroy = socket.destroy.bind(socket);
  socket.end = (...args: never[]): Socket => {
    held();
    return end(...args);
  };
  socket.destroy = (error?: Error): Socket => {
    held();
    return destroy(error);
  };
}
