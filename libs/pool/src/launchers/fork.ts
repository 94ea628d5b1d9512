/**
 * Starts children as copies of a process that has loaded all they need: a fork server for each key, started with its first
 * child and ended a while after its last. Where one cannot be had, or is not to be trusted, the child is spawned instead,
 * on the very descriptors that it was to have: nobody notices but `stats()`.
 */
import { Buffer } from 'node:buffer';
import { openSync, readSync } from 'node:fs';
import { ServerDeaths } from '../core/server-deaths.ts';
import { Departures } from './departures.ts';
import { type FoundAddon, forkAddon } from './fork-addon.ts';
import { firstOrder } from './fork-news.ts';
import { ForkServer, type ForkServerListener, realClock, type ServerClock } from './fork-server.ts';
import { ForkedChild, type Maker } from './forked-child.ts';
import type { LaunchedChild, Launcher, LaunchRequest, OnExit, StartCounts } from './launcher.ts';
import { nodeOptions } from './node-options.ts';
import { Refusals } from './refusals.ts';
import { spawnLauncher } from './spawn.ts';
import { StartTallies } from './start-tallies.ts';

/** Each holds about 60 MiB, shared with nobody but its children. */
const serversMax = 8;
/** How long one without children is kept. */
const idleMs = 10_000;

/** A server and who came of it. */
interface Family {
  readonly server: ForkServer;
  /** Whom it has been asked for, or will be once it is ready, by the number of the order. */
  readonly asked: Map<number, ForkedChild>;
  readonly living: Map<number, ForkedChild>;
  readonly waiting: ForkedChild[];
  nextOrder: number;
  idleTimer: NodeJS.Timeout | undefined;
}

export class ForkLauncher implements Launcher {
  readonly #found: FoundAddon;
  readonly #clock: ServerClock;
  readonly #families = new Map<string, Family>();
  readonly #refusals = new Refusals();
  readonly #deaths = new ServerDeaths();
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
    const families = [...this.#families.values()];
    this.#families.clear();
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
    const warm = `${cold}${request.preload.join(' ')}`;
    for (const name of warm === cold ? [cold] : [warm, cold]) {
      if (this.#refusals.holds(name, this.#clock.nowMs())) continue;
      const family =
        this.#families.get(name) ?? this.#start(name, request, name === warm ? request.preload : []);
      if (family === undefined) continue;
      // The next try of one that was refused is nobody's to wait for.
      if (family.server.isReady || !this.#refusals.has(name)) return family;
    }
    return undefined;
  }

  #start(name: string, request: LaunchRequest, modules: readonly string[]): Family | undefined {
    if (this.#found.addon === undefined) return undefined;
    const { addon, path } = this.#found;
    if (this.#isClosed || !this.#hasRoom(request.key)) return undefined;
    const { key, env, execArgv } = request;
    const gone: ForkServerListener['gone'] = (...how) => this.#gone(name, key, family, ...how);
    const family: Family = {
      asked: new Map(),
      living: new Map(),
      waiting: [],
      nextOrder: firstOrder,
      idleTimer: undefined,
      server: new ForkServer(
        addon,
        { addon: path, modules, env, execArgv },
        {
          gone,
          ready: () => {
            this.#refusals.lift(name);
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
    this.#families.set(name, family);
    this.#closeLater(name, family);
    return family;
  }

  #hasRoom(key: string): boolean {
    if (this.#families.size < serversMax) return true;
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
    for (const child of unborn) {
      const other = this.#isClosed ? undefined : this.#otherFor(child.request);
      if (other === undefined) this.#spawnInstead(child);
      else {
        child.movesTo(this.#makerOf(other));
        this.#ask(other, child);
      }
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

/** What of ours a spawned child has as it is now, and a copy as it was for its server: where it changes, another server serves. */
function surroundings(): string {
  status ??= openSync('/proc/self/status', 'r');
  // It stands in the second line.
  const text = statusHead.toString('latin1', 0, readSync(status, statusHead, 0, statusHead.length, 0));
  return `${/^Umask:\s*(\d+)/m.exec(text)?.[1]} ${cwd()}`;
}
/** Stays open: it is read again for each child. */
let status: number | undefined;
const statusHead = Buffer.alloc(128);

/** Nothing where the folder is gone. */
function cwd(): string {
  try {
    return process.cwd();
  } catch {
    return '';
  }
}

/** What asks for something of Node that a copy does not do, as a part of a sentence. */
function hindrance(env: Readonly<Record<string, string>>, execArgv: readonly string[]): string | undefined {
  const options = nodeOptions(execArgv, env);
  if (/(^|\s)--random-seed\b/.test(options)) return 'copies draw by chance, whatever --random-seed says';
  const unheard = unheardOptions.exec(options)?.[2];
  if (unheard !== undefined) return `copies do not do what ${unheard} asks for`;
  if ((env['NODE_V8_COVERAGE'] ?? '') !== '') return 'coverage (NODE_V8_COVERAGE) is not written by copies';
  return undefined;
}

/** What Node begins at its start and ends at its end, or does in other threads: a copy has neither. */
const unheardOptions =
  /(^|\s)(--(?:heap-prof|cpu-prof|prof|perf-basic-prof|perf-prof|trace-exit|trace-events-enabled|trace-event-categories|inspect|inspect-brk|inspect-wait|heapsnapshot-signal|heapsnapshot-near-heap-limit|report-on-signal|report-uncaught-exception|logfile|log))(?=[=\s]|$)/;

function isOneKept(children: Iterable<ForkedChild>): boolean {
  for (const child of children) if (child.isKept) return true;
  return false;
}

function isIdle({ asked, living, waiting }: Family): boolean {
  return asked.size === 0 && living.size === 0 && waiting.length === 0;
}
