import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { ShoalError } from '@shoal/errors';
import { Encoding, type Join, limits, ownPeer, SessionEndReason } from '@shoal/protocol';
import { backoffMs } from './backoff.ts';
import { BundleCache } from './bundle-cache.ts';
import { type AgentConfig, type SettledConfig, settleConfig } from './config.ts';
import { Connection } from './connection.ts';
import { hostInfo } from './host-info.ts';
import { Outbox } from './outbox.ts';
import { Session, type SessionEnd } from './session.ts';
import { ShardRunner } from './shard-runner.ts';

/** An agent that runs. */
export interface Agent {
  /** Its name in the cluster. */
  readonly name: string;
  /** Resolves when the coordinator has taken it in for the first time. Never rejects: it keeps trying. */
  readonly joined: Promise<void>;
  /**
   * Resolves when the agent is over and nothing of it is left: undefined after `close()`, else the error that no
   * further try could help (`AGENT_NAME_TAKEN`, `VERSION_MISMATCH`).
   */
  readonly ended: Promise<ShoalError | undefined>;
  /**
   * Stops. With `drain` (the default) it takes nothing new, finishes what runs within `drainMs`, gives the rest back
   * and says good-bye; without, or when called again, it ends at once. Resolves when every child is gone.
   */
  close(options?: { readonly drain?: boolean }): Promise<void>;
}

/** A name may still be held by an earlier life of this agent; after so long it is another agent's. */
const nameTakenMs = 30_000;
/** What was given back has to be heard of; so long an agent that leaves waits for that. */
const farewellMs = 5_000;
const outboxBytes = 32 * 2 ** 20;
const outboxPrintBytes = 2 ** 19;

/** Errors that another try will not cure. */
const hopeless: readonly string[] = ['VERSION_MISMATCH', 'REQUEST_INVALID'];

/** Starts an agent. Rejects only for a bad option: a coordinator that cannot be reached is tried again for ever. */
export async function startAgent(config: AgentConfig): Promise<Agent> {
  const life = new AgentLife(settleConfig(config));
  await life.start();
  return life;
}

/** Dials, runs sessions one after another, and leaves in good order. */
class AgentLife implements Agent {
  readonly name: string;
  readonly joined: Promise<void>;
  readonly ended: Promise<ShoalError | undefined>;
  readonly #config: SettledConfig;
  readonly #instance = randomUUID();
  readonly #outbox: Outbox;
  #bundles: BundleCache | undefined;
  #runner: ShardRunner | undefined;
  #connection: Connection | undefined;
  #session: Session | undefined;
  #epochSeen = 0;
  /** Tries in a row that led to no session. */
  #failures = 0;
  #nameTakenSinceMs: number | undefined;
  #abandonMs = 60_000;
  #abandonTimer: NodeJS.Timeout | undefined;
  #wake: () => void = () => {};
  #closing: 'no' | 'draining' | 'now' = 'no';
  #hurry: () => void = () => {};
  #onJoined: () => void = () => {};
  #onEnded: (error: ShoalError | undefined) => void = () => {};

  constructor(config: SettledConfig) {
    this.#config = config;
    this.name = config.name;
    this.joined = new Promise((resolve) => {
      this.#onJoined = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
    this.#outbox = new Outbox({
      messageBytes: limits.partBytes.default,
      maxBytes: outboxBytes,
      maxPrintBytes: outboxPrintBytes,
      onNews: () => this.#session?.sendSoon(),
      onFull: (full) => this.#runner?.pause(full),
      onEndingTaken: (attempt) => this.#runner?.endingTaken(attempt),
    });
  }

  async start(): Promise<void> {
    const { bundleCacheBytes, processes, maxTasksPerChild, log } = this.#config;
    this.#bundles = await BundleCache.open({
      maxBytes: bundleCacheBytes,
      fetch: (sha256) => this.#fetchBundle(sha256),
    });
    this.#runner = new ShardRunner({
      processes,
      terms: { agent: this.name, env: process.env, maxTasksPerChild },
      bundles: this.#bundles,
      outbox: this.#outbox,
      log,
    });
    void this.#live(this.#runner, this.#bundles);
  }

  async close({ drain = true }: { readonly drain?: boolean } = {}): Promise<void> {
    if (this.#closing !== 'no' || !drain) {
      this.#closing = 'now';
      this.#hurry();
      this.#session?.cut();
      this.#wake();
    } else {
      this.#closing = 'draining';
      void this.#drain();
    }
    await this.ended;
  }

  // -- sessions ------------------------------------------------------------------------------------------------

  async #live(runner: ShardRunner, bundles: BundleCache): Promise<void> {
    let failure: ShoalError | undefined;
    while (this.#closing === 'no' && failure === undefined) {
      const end = await this.#runSession(runner);
      if (this.#closing !== 'no') break;
      failure = await this.#afterSession(end);
    }
    // A drain that began during the last session still waits for its end.
    await this.#drained;
    clearTimeout(this.#abandonTimer);
    await runner.close();
    this.#connection?.close();
    await bundles.close();
    const { log } = this.#config;
    if (failure === undefined)
      log.info({ event: 'agent.stopped', agent: this.name }, `agent ${this.name} stopped`);
    else log.error({ event: 'agent.failed', agent: this.name, code: failure.code }, failure.message);
    this.#onEnded(failure);
  }

  #drained: Promise<void> = Promise.resolve();

  async #runSession(runner: ShardRunner): Promise<SessionEnd> {
    const { join: address, log } = this.#config;
    this.#connection?.close();
    this.#connection = new Connection(address);
    this.#session = new Session({
      connection: this.#connection,
      join: this.#join(runner),
      runner,
      outbox: this.#outbox,
      log,
      onJoined: ({ epoch, session, abandonMs }) => {
        this.#abandonMs = abandonMs;
        this.#failures = 0;
        this.#nameTakenSinceMs = undefined;
        this.#epochSeen = epoch;
        clearTimeout(this.#abandonTimer);
        log.info(
          { event: 'agent.joined', agent: this.name, address, session, epoch, slots: this.#config.processes },
          `agent ${this.name} joined ${address} with ${this.#config.processes} slots`,
        );
        this.#onJoined();
      },
    });
    const end = await this.#session.over;
    const { silentSinceMs } = this.#session;
    if (silentSinceMs !== undefined) this.#abandonLater(runner, silentSinceMs);
    return end;
  }

  /** Logs why a session ended and waits before the next one; answers with an error that no wait can cure. */
  async #afterSession(end: SessionEnd): Promise<ShoalError | undefined> {
    const { join: address, log } = this.#config;
    this.#failures += 1;
    if (end.kind === 'failed') {
      const { error } = end;
      if (hopeless.includes(error.code)) return error;
      if (error.code === 'AGENT_NAME_TAKEN') {
        this.#nameTakenSinceMs ??= performance.now();
        if (performance.now() - this.#nameTakenSinceMs > nameTakenMs) return error;
      }
    }
    const waitMs = Math.round(backoffMs(this.#failures));
    const why = end.kind === 'failed' ? end.error.message : endings[end.reason];
    log.warn(
      { event: 'agent.disconnected', agent: this.name, address, failures: this.#failures, waitMs },
      `${why} Trying again in ${waitMs} ms.`,
    );
    await this.#wait(waitMs);
    return undefined;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Without an answer for so long, what runs is stopped: others have been given the work long ago. */
  #abandonLater(runner: ShardRunner, sinceMs: number): void {
    clearTimeout(this.#abandonTimer);
    const waitMs = sinceMs + this.#abandonMs - performance.now();
    this.#abandonTimer = setTimeout(() => {
      const held = runner.held().length;
      if (held === 0) return;
      this.#config.log.warn(
        { event: 'agent.abandoned', agent: this.name, attempts: held },
        `no coordinator for ${Math.round(this.#abandonMs / 1000)} s; ${held} attempts were stopped`,
      );
      runner.abandon();
    }, waitMs);
  }

  #join(runner: ShardRunner): Join {
    const { processes, labels } = this.#config;
    return {
      agentName: this.name,
      instance: this.#instance,
      agent: ownPeer,
      slots: processes,
      labels,
      held: runner.held(),
      epochSeen: this.#epochSeen,
      encodings: [Encoding.V8, Encoding.JSON, Encoding.BYTES],
      host: hostInfo(),
    };
  }

  async #fetchBundle(sha256: string): Promise<Uint8Array> {
    const connection = this.#connection;
    if (connection === undefined) throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: sha256 });
    return connection.bundle(sha256);
  }

  // -- drain ---------------------------------------------------------------------------------------------------

  async #drain(): Promise<void> {
    const { log, drainMs } = this.#config;
    const runner = this.#runner;
    const session = this.#session;
    let done: () => void = () => {};
    this.#drained = new Promise((resolve) => {
      done = resolve;
    });
    const held = runner?.held().length ?? 0;
    log.info({ event: 'agent.draining', agent: this.name, attempts: held }, `agent ${this.name} drains`);
    if (runner !== undefined && session?.open === true) {
      session.draining();
      const idle = runner.drain();
      const hurried = new Promise<void>((resolve) => {
        this.#hurry = resolve;
      });
      if (!(await within(drainMs, Promise.race([idle, hurried, session.over])))) {
        runner.giveBack();
        await within(farewellMs, Promise.race([idle, hurried, session.over]));
      }
      if (this.#closing === 'draining') await session.leave();
    }
    session?.cut();
    this.#wake();
    done();
  }
}

/** Whether a promise settled within so many milliseconds. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

const endings: Readonly<Record<SessionEndReason, string>> = {
  [SessionEndReason.UNSPECIFIED]: 'The coordinator ended the session.',
  [SessionEndReason.SUPERSEDED]: 'A newer session of this agent took the place of this one.',
  [SessionEndReason.SILENT]: 'The coordinator had not heard of this agent for too long.',
  [SessionEndReason.DRAINED]: 'The coordinator has drained this agent.',
  [SessionEndReason.SHUTDOWN]: 'The coordinator stopped.',
};
