import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CallOptions,
  type ClientOptions,
  type ClientUnaryCall,
  type ClientWritableStream,
  connectivityState,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { durationText, type Fact, PoolClosedError, ShoalError, timerMsMax, timesText } from '@shoal/errors';
import {
  AccessServiceClient,
  BundleServiceClient,
  ClusterServiceClient,
  checkPeer,
  clientOptions,
  closingForGood,
  doorNotice,
  errorFromStatus,
  type GetStatusResponse,
  JobServiceClient,
  limits,
  needsTls,
  ownPeer,
  speaksTls,
} from '@shoal/protocol';
import type { Address } from './address.ts';
import type { ClientSecurity } from './client-security.ts';
import { Chance, Jitter } from './core/index.ts';
import { quietCredentials } from './quiet-socket.ts';
import { isOnTheWay, Reconnection } from './reconnection.ts';

/** How long a connection waits for its coordinator. */
export interface ConnectionLimits {
  /** For the first answer. */
  readonly connectTimeoutMs: number;
  /** For its return, when the connection breaks later. */
  readonly reconnectTimeoutMs: number;
}

/** What follows the request in a call of a generated client. */
type CallTail<Response> = [
  metadata: Metadata,
  options: Partial<CallOptions>,
  done: (error: ServiceError | null, response: Response) => void,
];
type Unary<Response> = (...call: CallTail<Response>) => ClientUnaryCall;

/** How long one bundle may take to send. */
const uploadTimeoutMs = 300_000;
/** Asked once, of what broke off the first try. */
const tlsProbeMs = 1_000;
/** Asked of what broke off a connection; who is full answers at once. */
const noticeProbeMs = 250;

const channelOptions: ClientOptions = {
  ...clientOptions,
  // A user waits for this connection; a coordinator is not overrun by its clients, as it might be by its agents.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // A connection that died in silence has to be noticed, and made anew, before the coordinator gives up a job that no
  // client holds, after 30 s; and a coordinator may stand still for 15 s.
  'grpc.keepalive_time_ms': 8_000,
  'grpc.keepalive_timeout_ms': 18_000,
};

const reasonOf = (error: unknown): Fact | undefined =>
  error instanceof ShoalError ? error.facts['reason'] : undefined;

/**
 * A connection to a coordinator: one HTTP/2 socket under the four services.
 *
 * It keeps the process alive while one of its methods has something to answer; whoever opens a stream of its own sees to
 * that by himself.
 */
export class Connection {
  readonly address: Address;
  readonly limits: ConnectionLimits;
  readonly jobs: JobServiceClient;
  readonly access: AccessServiceClient;
  readonly bundles: BundleServiceClient;
  readonly cluster: ClusterServiceClient;
  readonly #closing = new AbortController();
  #hasWorked = false;
  #broken = AbortSignal.abort();
  #streamsMax: number = limits.concurrentStreams.default;

  private constructor(address: Address, bounds: ConnectionLimits, security: ClientSecurity) {
    this.address = address;
    this.limits = bounds;
    const credentials = closingForGood(quietCredentials(security));
    this.jobs = new JobServiceClient(address.text, credentials, channelOptions);
    const shared = { ...channelOptions, channelOverride: this.jobs.getChannel() };
    this.access = new AccessServiceClient(address.text, credentials, shared);
    this.bundles = new BundleServiceClient(address.text, credentials, shared);
    this.cluster = new ClusterServiceClient(address.text, credentials, shared);
  }

  /**
   * Connects, and finds out whether both sides understand each other.
   *
   * Errors: CANNOT_CONNECT after `connectTimeoutMs`, VERSION_MISMATCH, TLS_FAILED, UNAUTHENTICATED; the reason of
   * `signal` as soon as that aborts. Once it is connected, the signal means nothing more.
   */
  static async open(
    address: Address,
    bounds: ConnectionLimits,
    security: ClientSecurity,
    signal?: AbortSignal,
  ): Promise<Connection> {
    const startedAtMs = performance.now();
    const elapsedMs = (): number => performance.now() - startedAtMs;
    /** For a question about a try that failed: the time is the user's, and finding words takes none that is not left. */
    const probe = (mostMs: number): Probe => ({
      address,
      withinMs: Math.floor(Math.min(mostMs, bounds.connectTimeoutMs - elapsedMs())),
      signal,
    });
    const backoff = new Jitter(new Chance(randomInt(2 ** 31)));
    let reason: Fact | undefined;
    for (let tries = 1; ; tries++) {
      signal?.throwIfAborted();
      // Each try has a channel of its own: one that failed answers from memory for a while.
      const connection = new Connection(address, bounds, security);
      const stop = (): void => connection.close(signal?.reason);
      signal?.addEventListener('abort', stop, { once: true });
      try {
        await connection.#greet(Math.max(1, bounds.connectTimeoutMs - elapsedMs()));
        signal?.throwIfAborted();
        return connection;
      } catch (error) {
        connection.close();
        if (signal?.aborted === true || !isOnTheWay(error)) throw error;
        const mayBeTls = tries === 1 && security.tls === undefined && !isUnanswered(error);
        if (mayBeTls && (await greetsInTls(probe(tlsProbeMs)))) {
          throw new ShoalError('TLS_FAILED', { address: address.text, ...needsTls });
        }
        // A last try that was cut short knows less than those before it.
        const isCutShort = elapsedMs() >= bounds.connectTimeoutMs;
        if (reason === undefined || !isCutShort) {
          const told = isBrokenOff(error) ? await noticeAt(probe(noticeProbeMs)) : undefined;
          reason = told ?? reasonOf(error);
        }
        signal?.throwIfAborted();
        const waitMs = backoff.nextMs();
        if (elapsedMs() + waitMs >= bounds.connectTimeoutMs) {
          throw new ShoalError('CANNOT_CONNECT', {
            address: address.text,
            reason,
            tries: timesText(tries),
            elapsed: durationText(elapsedMs()),
          });
        }
        await delay(waitMs, undefined, { signal }).catch(() => {});
      } finally {
        signal?.removeEventListener('abort', stop);
      }
    }
  }

  async #greet(deadlineMs: number): Promise<void> {
    this.#met(await this.once<GetStatusResponse>((...call) => this.#getStatus(...call), deadlineMs));
  }

  /**
   * Greets whoever is there now, after the connection broke: a coordinator that was restarted may be of another release,
   * and have other limits. Errors: CONNECTION_LOST, VERSION_MISMATCH.
   */
  async greetAgain(): Promise<void> {
    this.#met(await this.call<GetStatusResponse>((...call) => this.#getStatus(...call)));
  }

  #getStatus(...call: CallTail<GetStatusResponse>): ClientUnaryCall {
    return this.cluster.getStatus({ client: ownPeer }, ...call);
  }

  #met({ coordinator, maxStreamsPerConnection }: GetStatusResponse): void {
    checkPeer(coordinator, 'coordinator', 'client');
    this.#hasWorked = true;
    // One of an older release does not say it.
    if (maxStreamsPerConnection > 0) this.#streamsMax = maxStreamsPerConnection;
    if (this.#broken.aborted) this.#broken = this.#watch();
  }

  /** Aborts when the socket is gone that is there now; also where it is gone already, and nobody has had a call on it. */
  #watch(): AbortSignal {
    const broken = new AbortController();
    const channel = this.jobs.getChannel();
    if (channel.getConnectivityState(false) !== connectivityState.READY) broken.abort();
    else
      channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => broken.abort());
    return broken.signal;
  }

  /**
   * Aborts when that is gone over which the coordinator was greeted last: whoever is there the next time may be another
   * one, also where no call was open that could tell.
   */
  get broken(): AbortSignal {
    return this.#broken;
  }

  /** Calls that may be open at once, as the coordinator said when it was greeted last. Further ones wait, without a word. */
  get streamsMax(): number {
    return this.#streamsMax;
  }

  /** Aborts when the connection is closed. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** What a failed call means. */
  errorOf(error: ServiceError): ShoalError {
    return errorFromStatus(error, { address: this.address.text, connected: this.#hasWorked });
  }

  /** One try of a call. Rejects with a ShoalError, see {@link isOnTheWay}; with the reason of the end of the connection. */
  once<Response>(
    start: Unary<Response>,
    deadlineMs: number = this.limits.reconnectTimeoutMs,
  ): Promise<Response> {
    return whileAwake(this.#once(start, deadlineMs));
  }

  /** A call that may be repeated: tried again while the coordinator cannot be reached. Errors: CONNECTION_LOST. */
  call<Response>(start: Unary<Response>): Promise<Response> {
    return whileAwake(this.#persist(() => this.once(start)));
  }

  /** As {@link call}, for a stream of messages with one answer. */
  upload<Request, Response>(
    start: (...call: CallTail<Response>) => ClientWritableStream<Request>,
    messages: () => Iterable<Request>,
  ): Promise<Response> {
    const uploaded = this.#persist(async () => {
      const { call, answer } = this.#answered<Response, ClientWritableStream<Request>>(
        start,
        uploadTimeoutMs,
      );
      answer.catch(() => {}); // Looked at below, after the messages.
      call.on('error', () => {}); // The callback tells the same.
      for (const message of messages()) {
        // An answer that comes before the last message is a refusal: no drain would follow.
        if (!call.write(message)) await Promise.race([once(call, 'drain').catch(() => answer), answer]);
      }
      call.end();
      return answer;
    });
    return whileAwake(uploaded);
  }

  /** Ends every call and closes the socket; calls that wait for an answer reject with `reason`. */
  close(reason: unknown = new PoolClosedError()): void {
    if (this.closed.aborted) return;
    this.#closing.abort(reason);
    this.jobs.close();
    this.access.close();
    this.bundles.close();
    this.cluster.close();
  }

  async #once<Response>(start: Unary<Response>, deadlineMs: number): Promise<Response> {
    return this.#answered(start, deadlineMs).answer;
  }

  /** Starts a call that ends with this connection: closing a channel leaves its calls alone, for as long as they like. */
  #answered<Response, Call extends { cancel(): void }>(
    start: (...call: CallTail<Response>) => Call,
    deadlineMs: number,
  ): { readonly call: Call; readonly answer: Promise<Response> } {
    this.closed.throwIfAborted();
    const { promise: answer, resolve, reject } = Promise.withResolvers<Response>();
    const call = start(new Metadata(), { deadline: Date.now() + deadlineMs }, (error, response) => {
      this.closed.removeEventListener('abort', end);
      if (error === null) resolve(response);
      else reject(this.errorOf(error));
    });
    const end = (): void => {
      reject(this.closed.reason);
      call.cancel();
    };
    this.closed.addEventListener('abort', end, { once: true });
    return { call, answer };
  }

  async #persist<Response>(attempt: () => Promise<Response>): Promise<Response> {
    const { reconnectTimeoutMs } = this.limits;
    const reconnection = new Reconnection({ reconnectTimeoutMs, closed: this.closed });
    for (;;) {
      this.closed.throwIfAborted();
      try {
        return await attempt();
      } catch (error) {
        await reconnection.pause(error);
      }
    }
  }
}

/** Something is there that broke off: it may be full, and tells only whoever asks. */
const isBrokenOff = (error: unknown): boolean => /reset|dropped/.test(String(reasonOf(error) ?? ''));

/** Something is there that took the greeting and was silent until all the time was gone. */
const isUnanswered = (error: unknown): boolean => reasonOf(error) === 'no answer in time';

/** A question to whoever is at an address, beside the connection. */
interface Probe {
  readonly address: Address;
  /** Below 1: there is no time for it. */
  readonly withinMs: number;
  readonly signal: AbortSignal | undefined;
}

const noticeAt = async ({ address: { host, port }, withinMs, signal }: Probe): Promise<string | undefined> =>
  withinMs < 1 ? undefined : doorNotice(host, port, withinMs, signal);

/** A server that speaks TLS breaks off a plain connection without a word; asking it is the one way to know. */
const greetsInTls = async ({ address: { host, port }, withinMs, signal }: Probe): Promise<boolean> =>
  withinMs < 1 ? false : speaksTls(host, port, withinMs, signal);

/** This process does not exit while somebody waits for the promise. */
async function whileAwake<T>(promise: Promise<T>): Promise<T> {
  const held = setInterval(() => {}, timerMsMax);
  try {
    return await promise;
  } finally {
    clearInterval(held);
  }
}
