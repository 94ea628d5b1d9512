import { fullNotice } from './full-notice.ts';
import type { LimitName } from './limits.ts';
import type { ServerLimits } from './server-limits.ts';

/** One call, as far as a watch looks at it. */
interface WatchedStream {
  /** `localWindowSize` is what its caller may send before it hears that some of it was read. */
  readonly state: { readonly localWindowSize?: number; readonly remoteClose?: number };
  once(event: 'close', listener: () => void): unknown;
}

type PingCallback = (error: Error | null, durationMs: number, payload: Buffer) => void;

/** Of a session of HTTP/2, what a watch looks at. */
export interface WatchedSession {
  readonly destroyed?: boolean;
  readonly socket: { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined };
  /** `lastProcStreamID` is the last call that was begun, taken or refused; nothing is told of a closed session. */
  readonly state: { readonly lastProcStreamID?: number };
  ping(done: PingCallback): boolean;
  goaway(code?: number, lastStreamId?: number, data?: Uint8Array): void;
  destroy(...how: readonly never[]): void;
  on(event: 'stream', listener: (stream: WatchedStream) => void): unknown;
  once(event: 'remoteSettings' | 'close', listener: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
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

/** NGHTTP2_ERR_CALLBACK_FAILURE: Node's own callback ends a session of which it had to refuse a hundred calls. */
const callbackFailure = -902;

/**
 * What grpc-js and Node know of a connection and tell nobody: that all its calls are taken, that it was closed for want
 * of calls or for want of a sign of life, which calls wait for their reader, and that calls were refused.
 *
 * That it was silent cannot be seen in the socket: with TLS one that its client has closed looks just like it. What Node
 * refuses by itself passes nobody: it is told by the numbers of the calls, which have no gaps otherwise.
 */
export class SessionWatch {
  readonly #session: WatchedSession;
  readonly #limits: ServerLimits;
  readonly #listener: SessionListener;
  readonly #now: () => number;
  readonly #calls: Set<WatchedStream> = new Set();
  #taken = 0;
  #begun = 0;
  #refused = 0;
  #emptySinceMs: number;
  #askedAtMs: number | undefined;

  constructor(
    session: WatchedSession,
    limits: ServerLimits,
    listener: SessionListener,
    now: () => number = () => performance.now(),
  ) {
    this.#session = session;
    this.#limits = limits;
    this.#listener = listener;
    this.#now = now;
    this.#emptySinceMs = now();
    session.on('stream', (stream) => this.#opened(stream));
    session.once('close', () => this.#closed());
    session.once('error', (error) => {
      if ((error as NodeJS.ErrnoException).errno === callbackFailure) listener.reached('sessionMemoryBytes');
    });
    this.#sayWhy(session);
    // Keepalive of grpc-js asks by this method, and closes the session by itself where no answer comes.
    const ping = session.ping.bind(session);
    session.ping = (done) => {
      this.#askedAtMs = now();
      listener.reached('keepaliveMs');
      return ping((error, ...answer) => {
        if (error === null) this.#askedAtMs = undefined;
        done(error, ...answer);
      });
    };
  }

  /** Calls whose caller has sent as much as it may before some of it is read. */
  get waitingCalls(): number {
    let waiting = 0;
    for (const { state } of this.#calls) {
      // One whose caller has sent all that there is waits for nothing, however it fits.
      if (state.localWindowSize === 0 && state.remoteClose !== 1) waiting += 1;
    }
    return waiting;
  }

  /** Looks for calls that Node has refused. */
  look(): void {
    const { lastProcStreamID } = this.#session.state;
    if (lastProcStreamID === undefined) return;
    // Callers number their calls 1, 3, 5 and so on.
    const begun = (lastProcStreamID + 1) >> 1;
    // The last one may be on its way still: half of its headers are here. It counts when it is found once more.
    const settled = begun === this.#begun ? begun : begun - 1;
    this.#begun = begun;
    for (; this.#refused < settled - this.#taken; this.#refused++)
      this.#listener.reached('sessionMemoryBytes');
  }

  /**
   * grpc-js closes a connection that has run into these without a word of why: it says goodbye to an idle one, and just
   * destroys one that is silent. Whoever wakes up finds the name of the limit.
   */
  #sayWhy(session: WatchedSession): void {
    const goaway = session.goaway.bind(session);
    session.goaway = (code, lastStreamId, data) => goaway(code, lastStreamId, data ?? this.#notice);
    const destroy = session.destroy.bind(session);
    session.destroy = (...how) => {
      const notice = this.#notice;
      if (notice !== undefined && session.destroyed !== true) goaway(0, 0, notice);
      destroy(...how);
    };
  }

  /** The limit that it has run into by now; undefined: none. */
  get #reached(): 'keepaliveTimeoutMs' | 'idleMs' | undefined {
    const atMs = this.#now() + earlyMs;
    const { idleMs, keepaliveTimeoutMs } = this.#limits;
    if (this.#askedAtMs !== undefined && atMs - this.#askedAtMs >= keepaliveTimeoutMs)
      return 'keepaliveTimeoutMs';
    return this.#calls.size === 0 && atMs - this.#emptySinceMs >= idleMs ? 'idleMs' : undefined;
  }

  get #notice(): Buffer | undefined {
    const limit = this.#reached;
    return limit === undefined ? undefined : Buffer.from(fullNotice(limit, this.#limits[limit]));
  }

  #opened(stream: WatchedStream): void {
    this.#taken += 1;
    this.#calls.add(stream);
    if (this.#calls.size === this.#limits.maxStreamsPerConnection)
      this.#listener.reached('concurrentStreams');
    stream.once('close', () => {
      this.#calls.delete(stream);
      if (this.#calls.size > 0) return;
      this.#emptySinceMs = this.#now();
      // Later it may be closed, and then nothing can be asked of it.
      this.look();
    });
  }

  #closed(): void {
    const limit = this.#reached;
    if (limit !== undefined) this.#listener.reached(limit);
    if (limit === 'keepaliveTimeoutMs') this.#listener.silent();
  }
}
