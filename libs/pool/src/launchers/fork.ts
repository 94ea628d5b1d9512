/**
 * Starts children as copies of a process that has loaded all they need: a fork server for each key, started with its first
 * child and ended a while after its last. Where one cannot be had, or is not to be trusted, the child is spawned instead,
 * on the very descriptors that it was to have: nobody notices but `stats()`.
 */
import { ServerDeaths } from '../core/server-deaths.ts';
import { Departures } from './departures.ts';
import { type FoundAddon, forkAddon } from './fork-addon.ts';
import { betterLinks, type Family, isIdle } from './fork-family.ts';
import { hindrance, surroundings } from './fork-hindrance.ts';
import { firstOrder } from './fork-news.ts';
import { ForkServer, type ForkServerListener, realClock, type ServerClock } from './fork-server.ts';
import { ForkedChild, type Maker } from './forked-child.ts';
import type { LaunchedChild, Launcher, LaunchRequest, OnExit, StartCounts } from './launcher.ts';
import { Refusals } from './refusals.ts';
import { spawnLauncher } from './spawn.ts';
import { StartTallies } from './start-tallies.ts';

/** Each holds about 60 MiB, shared with nobody but its children. */
const serversMax = 8;
/** How long one without children is kept. */
const idleMs = 10_000;

export class ForkLauncher implements Launcher {
  readonly #found: FoundAddon;
  readonly #clock: ServerClock;
  readonly #families = new Map<string, Family>();
  readonly #refusals = new Refusals();
  readonly #deaths = new ServerDeaths();
  /** Those that have linked what the children of another load, until they are ready to take its place. */
  readonly #successors = new Map<string, Family>();
  /** Those that make no child any more, and live as long as their children. */
  readonly #outdated = new Set<Family>();
  /** How often what a server had linked has changed. */
  readonly #changes = new ServerDeaths();
  /** Keys whose files change too often to be linked. */
  readonly #unlinked = new Set<string>();
  /** Their reason is that of the last one which was not forked. */
  readonly #tallies = new StartTallies();
  /** Servers that are on their way out. */
  readonly #closing: Promise<void>[] = [];
  /** Children that die without a word, for their server is gone. */
  readonly #departures = new Departures();
  #isClosed = false;

  constructor(found: FoundAddon = forkAddon(), clock: ServerClock = realClock) {
    this.#found = found;
    this.#clock = clock;
  }

  counts(key?: string): StartCounts {
    const notForked = this.#refusals.why(key);
    return { ...this.#tallies.counts(key), ...(notForked === undefined ? {} : { notForked }) };
  }

  forget(key: string): void {
    this.#tallies.forget(key);
    this.#unlinked.delete(key);
  }

  launch(request: LaunchRequest, onExit: OnExit): LaunchedChild {
    const { addon } = this.#found;
    const family = this.#isForkable(request) ? this.#familyFor(request) : undefined;
    if (addon === undefined || family === undefined) {
      this.#countSpawned(request.key);
      return spawnLauncher.launch(request, onExit);
    }
    const child = new ForkedChild(addon, request, onExit, this.#makerOf(family));
    this.#ask(family, child);
    return child;
  }

  /** Whether a child of this kind would be forked at once; if not, a server is started for the next ones. */
  isReadyFor(request: LaunchRequest): boolean {
    return this.#isForkable(request) && this.#familyFor(request)?.server.isReady === true;
  }

  #isForkable({ key, env, execArgv }: LaunchRequest): boolean {
    const why = this.#found.why ?? hindrance(env, execArgv);
    if (why !== undefined) this.#tallies.notForked(key, why);
    return why === undefined;
  }

  /** A server that is stopped would never tell, and a pool that is terminated waits for nobody's answer. */
  endAll(): void {
    this.#isClosed = true;
    const families = [...this.#families.values(), ...this.#successors.values(), ...this.#outdated];
    this.#families.clear();
    this.#successors.clear();
    this.#outdated.clear();
    for (const family of families) {
      clearTimeout(family.idleTimer);
      this.#closing.push(family.server.close());
      const { asked, living, waiting } = family;
      for (const pid of living.keys()) this.#departures.add(pid);
      for (const child of [...asked.values(), ...waiting, ...living.values()]) child.lostServer();
      for (const list of [asked, living]) list.clear();
      waiting.length = 0;
    }
  }

  async close(): Promise<void> {
    this.endAll();
    await Promise.all(this.#closing);
    await this.#departures.over();
  }

  #ask(family: Family, child: ForkedChild): void {
    clearTimeout(family.idleTimer);
    if (!family.server.isReady) {
      family.waiting.push(child);
      return;
    }
    const id = family.nextOrder++;
    family.asked.set(id, child);
    family.server.order(id, child.descriptors);
  }

  /** The warm server, or else the cold one, or else none. */
  #familyFor(request: LaunchRequest): Family | undefined {
    try {
      return this.#findFamily(request);
    } catch (error) {
      // No descriptor is left, say: a spawned child says what is the matter, if that cannot be started either.
      this.#tallies.notForked(request.key, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #findFamily(request: LaunchRequest): Family | undefined {
    const cold = `${request.key} ${surroundings()} `;
    const warm = request.preload ? `${cold}${request.modules.join(' ')}` : cold;
    for (const name of warm === cold ? [cold] : [warm, cold]) {
      if (this.#refusals.holds(name, this.#clock.nowMs())) continue;
      const family = this.#families.get(name) ?? this.#begin(name, request, name !== cold);
      if (family === undefined) continue;
      if (name === cold) this.#improve(name, family, request);
      // The next try of one that was refused is nobody's to wait for.
      if (family.server.isReady || !this.#refusals.has(name)) return this.#families.get(name);
    }
    return undefined;
  }

  #begin(name: string, request: LaunchRequest, isWarm: boolean): Family | undefined {
    if (this.#isClosed || !this.#hasRoom(request.key)) return undefined;
    const links = isWarm || this.#unlinked.has(request.key) ? [] : request.modules;
    const family = this.#start(name, request, isWarm ? request.modules : [], links);
    if (family === undefined) return undefined;
    this.#families.set(name, family);
    this.#closeLater(name, family);
    return family;
  }

  #start(
    name: string,
    { key, env, execArgv }: LaunchRequest,
    modules: readonly string[],
    links: readonly string[],
  ): Family | undefined {
    if (this.#found.addon === undefined) return undefined;
    const { addon, path } = this.#found;
    const gone: ForkServerListener['gone'] = (...how) => this.#gone(name, key, family, ...how);
    const family: Family = {
      startedAtMs: this.#clock.nowMs(),
      links: [...modules, ...links],
      unlinked: 0,
      asked: new Map(),
      living: new Map(),
      waiting: [],
      nextOrder: firstOrder,
      idleTimer: undefined,
      server: new ForkServer(
        addon,
        { addon: path, modules, links, env, execArgv },
        {
          gone,
          ready: () => {
            this.#refusals.lift(name);
            if (this.#successors.get(name) === family) this.#succeed(name, family);
            for (const child of family.waiting.splice(0)) this.#ask(family, child);
          },
          forked: (id, pid) => {
            const child = family.asked.get(id);
            if (child === undefined) return;
            family.asked.delete(id);
            family.living.set(pid, child);
            this.#tallies.forked(key);
            child.forked(pid);
          },
          killed: (pid) => this.#departures.add(pid),
          failed: (id, error) => {
            const child = family.asked.get(id);
            family.asked.delete(id);
            this.#tallies.notForked(key, error.message);
            if (child !== undefined) this.#spawnInstead(child);
            this.#closeLater(name, family);
          },
          outdated: (id) => this.#replace(name, key, family, id),
          exited: (pid, exit) => {
            const child = family.living.get(pid);
            family.living.delete(pid);
            this.#closeLater(name, family);
            child?.exited(exit);
          },
        },
        this.#clock,
      ),
    };
    return family;
  }

  get #servers(): number {
    return this.#families.size + this.#successors.size + this.#outdated.size;
  }

  #hasRoom(key: string): boolean {
    if (this.#servers < serversMax) return true;
    for (const [name, family] of this.#families) {
      if (!isIdle(family)) continue;
      this.#families.delete(name);
      clearTimeout(family.idleTimer);
      void family.server.close();
      return true;
    }
    this.#tallies.notForked(key, `${serversMax} fork servers have children already`);
    return false;
  }

  #closeLater(name: string, family: Family): void {
    clearTimeout(family.idleTimer);
    if (isIdle(family) && this.#outdated.delete(family)) void family.server.close();
    if (!isIdle(family) || this.#families.get(name) !== family) return;
    family.idleTimer = setTimeout(() => {
      this.#families.delete(name);
      void family.server.close();
    }, idleMs).unref();
  }

  /** Its children died with it; who was only asked for is started in another way. */
  #gone(
    name: string,
    key: string,
    family: Family,
    ...[why, wasReady, wasKilled]: Parameters<ForkServerListener['gone']>
  ): void {
    clearTimeout(family.idleTimer);
    if (this.#families.get(name) === family) this.#families.delete(name);
    this.#outdated.delete(family);
    // Nobody waits for it.
    if (this.#successors.get(name) === family) {
      this.#successors.delete(name);
      return;
    }
    if (!wasReady || this.#deaths.add(key, this.#clock.nowMs())) {
      const told = name.endsWith(' ') ? why : `${why} (so nothing is preloaded)`;
      this.#refusals.add(name, { key, why: told, atMs: this.#clock.nowMs(), isFinal: wasReady, wasKilled });
    }
    const [half, ...others] = family.asked.values();
    const unborn = [...others, ...family.waiting];
    const living = [...family.living.values()];
    family.asked.clear();
    family.living.clear();
    family.waiting.length = 0;
    for (const child of living) {
      this.#departures.add(child.pid);
      child.lostServer();
    }
    // It does one thing after another: this one it may have made, and died before it told. Who has read what was meant for it
    // is dead or dying, so nobody else is given the same descriptors.
    half?.lostServer();
    for (const child of unborn) this.#moveOn(child);
  }

  /** Has another server link what its children load, where that pays: of a task that was not known when it was started. */
  #improve(name: string, family: Family, request: LaunchRequest): void {
    if (this.#isClosed || this.#unlinked.has(request.key) || this.#successors.has(name)) return;
    const better = betterLinks(family, request.modules, this.#clock.nowMs());
    if (better === undefined || (!better.isBegun && this.#servers >= serversMax)) return;
    const successor = this.#start(name, request, [], better.links);
    if (successor === undefined) return;
    if (better.isBegun) this.#succeed(name, successor);
    else this.#successors.set(name, successor);
  }

  #succeed(name: string, successor: Family): void {
    const before = this.#families.get(name);
    this.#successors.delete(name);
    this.#families.set(name, successor);
    this.#closeLater(name, successor);
    if (before !== undefined) this.#retire(name, before);
  }

  /** What it has linked has changed: another makes what it would not, of the files as they are now. */
  #replace(name: string, key: string, family: Family, id: number | undefined): void {
    const refused = id === undefined ? undefined : family.asked.get(id);
    if (id !== undefined) family.asked.delete(id);
    if (refused !== undefined) family.waiting.push(refused);
    const isFirst = this.#families.get(name) === family;
    if (isFirst) this.#families.delete(name);
    if (isFirst && this.#changes.add(key, this.#clock.nowMs())) this.#unlinked.add(key);
    if (this.#successors.get(name) === family) this.#successors.delete(name);
    this.#retire(name, family);
  }

  /** It ends with its last child, and others make those that it was still to make. */
  #retire(name: string, family: Family): void {
    this.#outdated.add(family);
    for (const child of family.waiting.splice(0)) this.#moveOn(child);
    this.#closeLater(name, family);
  }

  #moveOn(child: ForkedChild): void {
    const other = this.#isClosed ? undefined : this.#otherFor(child.request);
    if (other === undefined) this.#spawnInstead(child);
    else {
      child.movesTo(this.#makerOf(other));
      this.#ask(other, child);
    }
  }

  /** Not where the system has nothing to make it of, such as descriptors. */
  #otherFor(request: LaunchRequest): Family | undefined {
    try {
      return this.#familyFor(request);
    } catch (error) {
      this.#tallies.notForked(request.key, (error as Error).message);
      return undefined;
    }
  }

  #spawnInstead(child: ForkedChild): void {
    this.#countSpawned(child.request.key);
    child.spawnInstead();
  }

  /** With the reason, which is kept: it may be over by the time that somebody wonders. */
  #countSpawned(key: string): void {
    const why = this.#refusals.why(key);
    if (why !== undefined) this.#tallies.notForked(key, why);
    this.#tallies.spawned(key);
  }

  #makerOf(family: Family): Maker {
    return {
      keepAlive: () => this.#keepAlive(family),
      killed: (pid) => family.server.awaitEnd(pid),
    };
  }

  /** A child that keeps us alive does so until its end has been told, and its server tells that. */
  #keepAlive({ asked, living, server, waiting }: Family): void {
    server.keepAlive(isOneKept(living.values()) || isOneKept(asked.values()) || isOneKept(waiting));
  }
}

function isOneKept(children: Iterable<ForkedChild>): boolean {
  for (const child of children) if (child.isKept) return true;
  return false;
}
