import type { LimitName } from './limits.ts';
import type { ServerLimits } from './server-limits.ts';

/** One call, as far as a watch looks at it. */
interface WatchedStream {
  once(event: 'close', listener: () => void): unknown;
}

type PingCallback = (error: Error | null, durationMs: number, payload: Buffer) => void;

/** Of a session of HTTP/2, what a watch looks at. */
export interface WatchedSession {
  readonly socket: { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined };
  ping(done: PingCallback): boolean;
  on(event: 'stream', listener: (stream: WatchedStream) => void): unknown;
  once(event: 'remoteSettings' | 'close', listener: () => void): unknown;
}

/** Whom a {@link SessionWatch} tells. */
export interface SessionListener {
  /** It has run into this limit. */
  reached(limit: LimitName): void;
  /** It was closed because nothing came from the other side any more: stopped, suspended or cut off, and not gone. */
  silent(): void;
}

/** A timer may be a little early. */
const earlyMs = 5;

/**
 * What grpc-js knows of a connection and tells nobody: that all its calls are taken, that it was closed for want of
 * calls, and that it was closed for want of a sign of life.
 *
 * The last one cannot be seen in the socket: with TLS one that its client has closed looks just like it.
 */
export class SessionWatch {
  readonly #limits: ServerLimits;
  readonly #listener: SessionListener;
  readonly #now: () => number;
  #openCalls = 0;
  #emptySinceMs: number;
  #askedAtMs: number | undefined;

  constructor(
    session: WatchedSession,
    limits: ServerLimits,
    listener: SessionListener,
    now: () => number = () => performance.now(),
  ) {
    this.#limits = limits;
    this.#listener = listener;
    this.#now = now;
    this.#emptySinceMs = now();
    session.on('stream', (stream) => this.#opened(stream));
    session.once('close', () => this.#closed());
    // Keepalive of grpc-js asks by this method, and closes the session by itself where no answer comes.
    const ping = session.ping.bind(session);
    session.ping = (done) => {
      this.#askedAtMs = now();
      return ping((error, ...answer) => {
        if (error === null) this.#askedAtMs = undefined;
        done(error, ...answer);
      });
    };
  }

  #opened(stream: WatchedStream): void {
    this.#openCalls += 1;
    if (this.#openCalls === this.#limits.maxStreamsPerConnection) this.#listener.reached('concurrentStreams');
    stream.once('close', () => {
      this.#openCalls -= 1;
      if (this.#openCalls === 0) this.#emptySinceMs = this.#now();
    });
  }

  #closed(): void {
    const atMs = this.#now() + earlyMs;
    const { idleMs, keepaliveTimeoutMs } = this.#limits;
    if (this.#askedAtMs !== undefined && atMs - this.#askedAtMs >= keepaliveTimeoutMs) {
      this.#listener.reached('keepaliveTimeoutMs');
      this.#listener.silent();
      return;
    }
    if (this.#openCalls === 0 && atMs - this.#emptySinceMs >= idleMs) this.#listener.reached('idleMs');
  }
}
