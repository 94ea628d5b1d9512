import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { ShoalError } from '@shoal/errors';
import type { HttpConfig } from '../config.ts';
import { formatAddress, isLoopback } from '../listen-address.ts';
import type { EventFeed } from './event-feed.ts';
import { HttpPatience } from './http-patience.ts';
import type { LimitCounts } from './limit-counts.ts';

/** A request here needs none of them; what is longer is answered with 431 by Node. */
const headerBytesMax = 8_192;

/**
 * The HTTP port of a coordinator: `GET /metrics`, for Prometheus, `GET /healthz`, and nothing else.
 *
 * It answers whoever reaches it, so it is on loopback unless somebody asked for more. There whoever reaches it through the
 * browser of somebody else, under a name that points here, is turned away by that name; elsewhere it has whatever names
 * the network gives it.
 */
export class MetricsHttp {
  readonly address: string;
  readonly #server: Server;

  private constructor(server: Server, address: string) {
    this.#server = server;
    this.address = address;
  }

  /**
   * Listens where the config says, if it says so. Where nobody asked for it, what keeps it from listening is warned of and
   * the coordinator does without: it was started to run jobs. Rejects like {@link MetricsHttp.listen} otherwise.
   */
  static async open(
    config: HttpConfig | undefined,
    text: () => string,
    feed: EventFeed,
    counts: LimitCounts,
  ): Promise<MetricsHttp | undefined> {
    if (config === undefined) return undefined;
    const { address, isAsked } = config;
    return await MetricsHttp.listen(config, text, counts).catch((error: unknown) => {
      if (isAsked || !(error instanceof ShoalError)) throw error;
      const where = formatAddress(address);
      const why = error.code === 'ADDRESS_IN_USE' ? 'is in use by another process' : 'cannot be listened on';
      const message = `${where} ${why}, so there are no metrics; shoal coordinator --http HOST:PORT puts them elsewhere, --http off does without`;
      feed.tell('http.unavailable', { address: where, code: error.code }, message, 'warn');
      return undefined;
    });
  }

  /** Listens. Rejects with `ADDRESS_IN_USE` or `REQUEST_INVALID`. */
  static async listen(
    { address: listen, maxConnections, silentMs }: Omit<HttpConfig, 'isAsked'>,
    text: () => string,
    counts: LimitCounts,
  ): Promise<MetricsHttp> {
    const server = createServer({ maxHeaderSize: headerBytesMax });
    const patience = new HttpPatience(silentMs, (peer) => counts.refused('httpSilentMs', peer));
    server.on('connection', (socket) => patience.begin(socket, { served: false }));
    server.on('request', (request, response) => {
      patience.begin(request.socket, { served: false });
      response.once('close', () => patience.begin(request.socket, { served: true }));
      answer(request, response, listen.host, text);
    });
    // One clock for all of it: Node's own look only at connections that have begun to say something.
    server.keepAliveTimeout = 0;
    server.maxConnections = maxConnections;
    server.on('drop', (peer) => counts.refused('httpConnections', peer?.remoteAddress ?? 'somebody'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
    try {
      await promise;
    } catch (error) {
      const address = formatAddress(listen);
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
        throw new ShoalError('ADDRESS_IN_USE', { address, option: '--http' });
      }
      const reason = `cannot listen on ${address}: ${(error as Error).message}`;
      throw new ShoalError('REQUEST_INVALID', { field: '--http', reason }, { cause: error });
    }
    const { port } = server.address() as AddressInfo;
    return new MetricsHttp(server, formatAddress({ ...listen, port }));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function answer(request: IncomingMessage, response: ServerResponse, host: string, text: () => string): void {
  const end = (code: number, body: string): void => {
    response.writeHead(code, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    response.end(body);
  };
  const path = request.url?.split('?', 1)[0];
  // Nothing of what it might send is wanted.
  request.resume();
  if (!isOwnName(request.headers.host ?? '', host)) end(421, 'This is no name of this coordinator.\n');
  else if (!isPath(path)) end(404, 'There are /metrics and /healthz, and nothing else.\n');
  else if (request.method !== 'GET' && request.method !== 'HEAD') end(405, 'It can only be read.\n');
  else end(200, path === '/metrics' ? text() : 'ok');
}

const isPath = (path: string | undefined): boolean => path === '/metrics' || path === '/healthz';

/** An address is no name that somebody could point here, and neither is that of this machine to itself. */
function isOwnName(header: string, listenHost: string): boolean {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(header) ?? [];
  const name = bracketed ?? plain;
  return !isLoopback(listenHost) || isIP(name) > 0 || name === 'localhost' || name === listenHost;
}
