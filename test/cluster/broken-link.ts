import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/** A TCP link to a coordinator that a test can break. */
export interface Link {
  readonly address: string;
  /** Bytes that it passed on of what the coordinator says. */
  readonly passedBytes: number;
  /** Resets every connection; new ones are let through. */
  breakAll(): void;
  /** Passes nothing on, on its open connections, of what the coordinator says, or does so again; the other way stays open. */
  stall(isStalled: boolean): void;
  close(): void;
}

/** Listens on a free port and passes everything on to `target` (HOST:PORT), but for its first `refusals` connections: it resets these. */
export async function startLink(target: string, { refusals = 0 } = {}): Promise<Link> {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let passedBytes = 0;
  const pipes: { readonly far: Socket; readonly near: Socket }[] = [];
  let refused = 0;
  const server = createServer((near) => {
    if (refused < refusals) {
      refused += 1;
      near.resetAndDestroy();
      return;
    }
    const far = createConnection(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far);
    far.pipe(near);
    far.on('data', (bytes: Buffer) => {
      passedBytes += bytes.byteLength;
    });
    pipes.push({ far, near });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const breakAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    address: `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    get passedBytes() {
      return passedBytes;
    },
    breakAll,
    stall: (isStalled) => {
      for (const { far, near } of pipes) {
        if (isStalled) far.unpipe(near).pause();
        else far.pipe(near);
      }
    },
    close: () => {
      breakAll();
      server.close();
    },
  };
}
