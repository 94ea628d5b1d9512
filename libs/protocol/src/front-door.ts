import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { Settings } from 'node:http2';
import { type AddressInfo, createServer, isIP, type Server as NetServer, type Socket } from 'node:net';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { serverSettings } from './channel-options.ts';
import { doorQuestion, fullNotice } from './full-notice.ts';
import type { LimitName } from './limits.ts';
import { peerOf } from './peer-address.ts';
import type { ServerLimits } from './server-limits.ts';
import { SessionWatch, type WatchedSession } from './session-watch.ts';

/** So many connections that have no place may ask why, for so long; all others are cut at once. */
const askingMax = 64;
const askingMs = 500;
/** From the last word to the cut: it is on its way within one turn of the event loop. */
const lastWordMs = 20;
/** The same where calls are told as well: their statuses wait for what was written before. */
const lastStatusMs = 500;

/** Hears which limit a peer has reached. */
export type LimitListener = (limit: LimitName, peer: string) => void;

/** Hears of connections, by the name that gRPC gives them (`ADDRESS:PORT`), that were closed for want of a sign of life. */
export type SilenceListener = (connection: string) => void;

/** Of a session of HTTP/2, what a door sets. */
interface Session extends WatchedSession {
  settings(settings: Settings): void;
  setLocalWindowSize(bytes: number): void;
}
type Http2Server = { on(event: 'session', listener: (session: Session) => void): unknown };

/** How long a connection may take for its next step. */
type TimeLimit = 'firstByteMs' | 'handshakeMs' | 'authenticationMs';

/** One connection, as far as it has come. Only one of its time limits runs at a time. */
class Visitor {
  readonly socket: Socket;
  readonly peer: string;
  /** Once it speaks HTTP/2. */
  session: Session | undefined;
  /** How its calls that nobody known makes are ended. */
  readonly strangers: Set<() => void> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #letIn = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.peer = peerOf(socket.remoteAddress ?? '');
  }

  /** From now on it has so long for its next step, whatever it had before. */
  hasStill(ms: number, onLate: () => void): void {
    if (this.#letIn) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onLate, ms);
    this.#timer.unref();
  }

  letIn(): void {
    this.#letIn = true;
    clearTimeout(this.#timer);
  }

  gone(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Where connections come in, before gRPC hears of them.
 *
 * A server of grpc-js that listens by itself takes any number of connections from anybody, and keeps one that says
 * nothing for ever. Here each is counted, has so long for its first byte, for its handshakes and for a call of somebody
 * known, and is cut off otherwise. Until its first byte it costs a socket and nothing else: no TLS, no HTTP/2.
 */
export class FrontDoor {
  readonly #server: Server;
  readonly #limits: ServerLimits;
  readonly #onLimit: LimitListener;
  readonly #onSilent: SilenceListener;
  readonly #listening: NetServer[] = [];
  /** By the address and port of the other side, as gRPC names the peer of a call. */
  readonly #visitors: Map<string, Visitor> = new Map();
  readonly #perPeer: Map<string, number> = new Map();
  readonly #watches: Set<SessionWatch> = new Set();
  /** Those that found no place and may ask why. */
  readonly #asking: Set<Socket> = new Set();

  constructor(
    server: Server,
    serverLimits: ServerLimits,
    onLimit: LimitListener,
    onSilent: SilenceListener = () => {},
  ) {
    this.#server = server;
    this.#limits = serverLimits;
    this.#onLimit = onLimit;
    this.#onSilent = onSilent;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#visitors.size;
  }

  /**
   * Looks at every connection for what nobody is told of: tells of calls that were refused, and says how many callers have
   * sent as much as they may before some of it is read. Costs time in proportion to open calls.
   */
  look(): { readonly waitingCalls: number } {
    let waitingCalls = 0;
    for (const watch of this.#watches) {
      watch.look();
      waitingCalls += watch.waitingCalls;
    }
    return { waitingCalls };
  }

  /** Whether the connection that gRPC calls by this name is open. */
  isOpen(connection: string): boolean {
    return this.#visitors.get(connection)?.socket.destroyed === false;
  }

  /**
   * Listens on every address that the host has, and resolves with the port. Rejects with what Node says where one of
   * them cannot be had, and then listens on none.
   */
  async listen(host: string, port: number, credentials: ServerCredentials): Promise<number> {
    const inject = this.#injector(credentials);
    const addresses =
      isIP(host) > 0 ? [host] : (await lookup(host, { all: true })).map((each) => each.address);
    let taken = port;
    try {
      for (const address of addresses) {
        const listening = createServer((socket) => this.#arrived(socket, inject));
        listening.listen(taken, address);
        await once(listening, 'listening');
        this.#listening.push(listening);
        taken = (listening.address() as AddressInfo).port;
      }
    } catch (error) {
      this.close();
      throw error;
    }
    return taken;
  }

  /** A caller of this peer is known: nobody is waited for any longer. */
  letIn(peer: string): void {
    this.#visitors.get(peer)?.letIn();
  }

  /**
   * This peer makes a call that anyone may make, and nobody knows who it is. `end` is called when the time of its connection
   * is over; where others have that connection let in, so is it after the same time. Returns how to say that it has ended.
   */
  stranger(peer: string, end: () => void): () => void {
    const strangers = this.#visitors.get(peer)?.strangers;
    const timer = setTimeout(end, this.#limits.authenticationMs);
    timer.unref();
    strangers?.add(end);
    return () => {
      clearTimeout(timer);
      strangers?.delete(end);
    };
  }

  /** Takes no more connections, and ends those that have not said a word. */
  close(): void {
    for (const listening of this.#listening.splice(0)) listening.close();
    for (const { socket } of this.#visitors.values()) if (socket.bytesRead === 0) socket.destroy();
    for (const socket of this.#asking) socket.destroy();
  }

  /** Ends every connection. */
  cut(): void {
    for (const { socket } of this.#visitors.values()) socket.destroy();
  }

  #injector(credentials: ServerCredentials): (socket: Socket) => void {
    const injector = this.#server.createConnectionInjector(credentials);
    // grpc-js shows nobody the server that it makes for this. Without it there is no telling when handshakes are done.
    const { http2Servers } = this.#server as unknown as { http2Servers: Map<Http2Server, unknown> };
    [...http2Servers.keys()].at(-1)?.on('session', (session) => {
      session.settings(serverSettings(this.#limits));
      // That of the whole connection, which is read by Node itself, whatever its calls do.
      session.setLocalWindowSize(2 * this.#limits.streamWindowBytes);
      const { remoteAddress, remotePort } = session.socket;
      const name = `${remoteAddress}:${remotePort}`;
      const visitor = this.#visitors.get(name);
      if (visitor === undefined) return;
      visitor.session = session;
      const watch = new SessionWatch(session, this.#limits, {
        reached: (limit) => this.#onLimit(limit, visitor.peer),
        silent: () => this.#onSilent(name),
      });
      this.#watches.add(watch);
      session.once('close', () => this.#watches.delete(watch));
      session.once('remoteSettings', () => {
        visitor.hasStill(this.#limits.authenticationMs, () => this.#cut(visitor, 'authenticationMs'));
      });
    });
    return (socket) => injector.injectConnection(socket);
  }

  #arrived(socket: Socket, inject: (socket: Socket) => void): void {
    // Before anything has read from it nobody else listens.
    socket.on('error', () => {});
    const visitor = new Visitor(socket);
    const { peer } = visitor;
    const ofPeer = this.#perPeer.get(peer) ?? 0;
    const { maxConnections, maxConnectionsPerPeer, firstByteMs, handshakeMs } = this.#limits;
    const isFull = this.#visitors.size >= maxConnections;
    if (isFull || ofPeer >= maxConnectionsPerPeer) {
      const limit = isFull ? 'connections' : 'connectionsPerPeer';
      this.#turnAway(visitor, limit, isFull ? maxConnections : maxConnectionsPerPeer);
      return;
    }
    const id = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#visitors.set(id, visitor);
    this.#perPeer.set(peer, ofPeer + 1);
    socket.once('close', () => {
      visitor.gone();
      this.#visitors.delete(id);
      const left = (this.#perPeer.get(peer) ?? 1) - 1;
      if (left === 0) this.#perPeer.delete(peer);
      else this.#perPeer.set(peer, left);
    });
    socket.setNoDelay(true);
    visitor.hasStill(firstByteMs, () => this.#cut(visitor, 'firstByteMs'));
    socket.once('readable', () => {
      const first: Buffer | null = socket.read();
      if (first === null) {
        socket.destroy();
        return;
      }
      // Whoever takes over finds it where it was.
      socket.unshift(first);
      visitor.hasStill(handshakeMs, () => this.#cut(visitor, 'handshakeMs'));
      inject(socket);
    });
  }

  /** A few at a time may ask why. All else that they say is not read, and ends it. */
  #turnAway(visitor: Visitor, limit: LimitName, most: number): void {
    const { socket } = visitor;
    this.#onLimit(limit, visitor.peer);
    if (this.#asking.size >= askingMax) {
      socket.resetAndDestroy();
      return;
    }
    this.#asking.add(socket);
    const end = setTimeout(() => socket.resetAndDestroy(), askingMs);
    end.unref();
    socket.once('close', () => {
      clearTimeout(end);
      this.#asking.delete(socket);
    });
    socket.once('readable', () => {
      const first: Buffer | null = socket.read();
      // The answer goes before the end; a reset would overtake it.
      if (first?.equals(Buffer.from(doorQuestion))) socket.end(fullNotice(limit, most));
      else socket.resetAndDestroy();
    });
  }

  /**
   * Its last word is the name of the limit, where there is a way to say it: not in the middle of a handshake of TLS. A reset
   * leaves nothing behind on this side, however many there are.
   */
  #cut({ peer, session, socket, strangers }: Visitor, limit: TimeLimit): void {
    const wordMs = strangers.size > 0 ? lastStatusMs : lastWordMs;
    for (const end of strangers) end();
    const notice = fullNotice(limit, this.#limits[limit]);
    if (session?.destroyed === false) {
      session.goaway(0, 0, Buffer.from(notice));
      setTimeout(() => socket.resetAndDestroy(), wordMs).unref();
    } else if (socket.bytesRead === 0) {
      socket.write(notice, () => socket.resetAndDestroy());
    } else {
      socket.resetAndDestroy();
    }
    this.#onLimit(limit, peer);
  }
}
