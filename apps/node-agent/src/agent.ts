import { randomInt, randomUUID } from 'node:crypto';
import { ShoalError } from '@shoal/errors';
import { limits } from '@shoal/protocol';
import { AgentCredentials } from './agent-credentials.ts';
import { AgentDriver } from './agent-driver.ts';
import { AgentLog } from './agent-log.ts';
import { BundleCache } from './bundle-cache.ts';
import { type AgentConfig, type SettledConfig, settleConfig } from './config.ts';
import { Connection } from './connection.ts';
import { AgentMachine } from './core/index.ts';
import { checkIsolation } from './isolation/isolation-check.ts';
import { UserClaim } from './isolation/user-claim.ts';
import { makeWorkParent } from './isolation/work-parent.ts';
import { Link } from './link.ts';
import { NewsShelf } from './news/news-shelf.ts';
import { PrintShelf } from './news/print-shelf.ts';
import { SetupShelf } from './setup-shelf.ts';
import { ShardRunner, unrunnable } from './shard-runner.ts';
import { StoreTrouble } from './store-trouble.ts';

/** An agent that runs. */
export interface Agent {
  /** Its name in the cluster. */
  readonly name: string;
  /** Resolves when the coordinator has taken it in for the first time. Never rejects: it keeps trying. */
  readonly joined: Promise<void>;
  /**
   * Resolves when the agent is over and nothing of it is left: undefined after `close()`, else the error that no
   * further try could help (`AGENT_NAME_TAKEN`, `VERSION_MISMATCH`, `UNAUTHENTICATED`).
   */
  readonly ended: Promise<ShoalError | undefined>;
  /**
   * Stops. With `drain` (the default) it takes nothing new, finishes what runs within `drainMs`, gives the rest back
   * and says good-bye; without, or when called again, it ends at once. Resolves when every child is gone.
   */
  close(options?: { readonly drain?: boolean }): Promise<void>;
}

const printBytesMax = 2 ** 19;

/**
 * Starts an agent. Rejects for a bad option, for an isolation that is not to be had here, and for certificates and tokens that open nothing: a coordinator that
 * cannot be reached is tried again for ever.
 *
 * With a token to join with that is waited for here. When `signal` aborts meanwhile, it rejects with the reason of the signal, and
 * nothing is left; once there is an agent, `close()` is what ends it.
 */
export async function startAgent(config: AgentConfig, signal?: AbortSignal): Promise<Agent> {
  const settled = settleConfig(config);
  const { name: ownName } = settled;
  const credentials = await AgentCredentials.open({ ...settled, name: config.name, ownName, signal });
  const life = new AgentLife({ ...settled, name: credentials.name ?? settled.name }, credentials);
  await life.start();
  return life;
}

/** Puts the parts of an agent together, and takes them apart when its machine says that it is over. */
class AgentLife implements Agent {
  readonly name: string;
  readonly joined: Promise<void>;
  readonly ended: Promise<ShoalError | undefined>;
  readonly #config: SettledConfig;
  readonly #credentials: AgentCredentials;
  readonly #onJoined: () => void;
  readonly #onEnded: (error: ShoalError | undefined) => void;
  readonly #log: AgentLog;
  #driver: AgentDriver | undefined;

  constructor(config: SettledConfig, credentials: AgentCredentials) {
    const joined = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<ShoalError | undefined>();
    this.name = config.name;
    this.joined = joined.promise;
    this.ended = ended.promise;
    this.#config = config;
    this.#credentials = credentials;
    this.#onJoined = joined.resolve;
    this.#onEnded = ended.resolve;
    const { log, join, processes } = config;
    this.#log = new AgentLog({ log, agent: this.name, address: join, slots: processes });
  }

  async start(): Promise<void> {
    const { bundleCacheBytes, bundleDir, drainMs, join, log, processes } = this.#config;
    const { encodings, maxRssBytes, maxSpoolBytes, maxTasksPerChild, startChildren } = this.#config;
    const asked = this.#config.isolation;
    await checkIsolation(asked);
    const users = asked.level === 'user' ? await UserClaim.take(asked) : undefined;
    const isolation =
      users === undefined ? asked : { ...asked, firstUid: users.firstUid, lastUid: users.lastUid };
    // Children that are other users have to get at their code, and at where they work.
    const isShared = isolation.level === 'user' || isolation.level === 'container';
    const trouble = new StoreTrouble(log);
    const bundles = await BundleCache.open({
      maxBytes: bundleCacheBytes,
      parentDir: bundleDir,
      isShared,
      onStored: (error) => trouble.stored(error),
      fetch: (sha256) => this.#fetchBundle(sha256),
    });
    const work = makeWorkParent(bundleDir, isShared);
    const prints = new PrintShelf(printBytesMax, () => this.#driver?.happened({ type: 'printsArrived' }));
    const setups = new SetupShelf({
      bundles,
      terms: {
        agent: this.name,
        env: process.env,
        encodings,
        maxRssBytes,
        maxTasksPerChild,
        startChildren,
        isolation,
        bundleDir: bundles.dir,
        workParentDir: work.path,
      },
      onPrepared: (setup) => this.#driver?.happened({ type: 'setupPrepared', setup }),
      onFailed: (setup, error) => {
        const retryable = unrunnable(error) === undefined;
        this.#driver?.happened({ type: 'setupFailed', setup, retryable });
      },
    });
    const runner = new ShardRunner({
      agent: this.name,
      processes,
      setups,
      prints,
      log,
      happened: (event, news) => this.#driver?.happened(event, { news }),
    });
    this.#driver = new AgentDriver({
      machine: new AgentMachine({
        instance: randomUUID(),
        seed: randomInt(2 ** 32),
        limits: { drainMs, messageBytes: limits.partBytes.default, outboxBytes: maxSpoolBytes },
      }),
      config: this.#config,
      runner,
      setups,
      news: new NewsShelf(),
      prints,
      troubles: () => trouble.current(),
      log: this.#log,
      dial: (listener) => new Link(new Connection(join, this.#credentials.channel()), listener),
      onJoined: this.#onJoined,
      onEnd: (error) =>
        void this.#end(
          runner,
          [() => bundles.close(), () => work.remove(), async () => users?.release()],
          error,
        ),
    });
    this.#driver.happened({ type: 'started' });
  }

  async close({ drain = true }: { readonly drain?: boolean } = {}): Promise<void> {
    this.#driver?.happened({ type: 'stopRequested', drain });
    await this.ended;
  }

  async #end(
    runner: ShardRunner,
    folders: readonly (() => Promise<void>)[],
    error: ShoalError | undefined,
  ): Promise<void> {
    await runner.close();
    this.#credentials.stop();
    this.#driver?.link?.cut();
    for (const remove of folders) await remove();
    this.#log.ended(error);
    this.#onEnded(error);
  }

  async #fetchBundle(sha256: string): Promise<Uint8Array> {
    const connection = this.#driver?.link?.connection;
    if (connection === undefined) throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: sha256 });
    return connection.bundle(sha256);
  }
}
