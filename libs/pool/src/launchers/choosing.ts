/**
 * Starts each child in the way that its request names, and where that is `auto`, in the way that was measured to be better
 * (core/start-policy.ts). With `auto` nobody waits for a fork server: children are spawned until it is ready.
 */
import { StartPolicy } from '../core/start-policy.ts';
import { ForkLauncher } from './fork.ts';
import type { LaunchedChild, Launcher, LaunchRequest, OnExit, StartCounts } from './launcher.ts';
import { spawnLauncher } from './spawn.ts';
import { StartTallies, sumOfStarts } from './start-tallies.ts';

export class ChoosingLauncher implements Launcher {
  readonly #policy = new StartPolicy();
  #fork: ForkLauncher | undefined;
  readonly #tallies = new StartTallies();

  counts(key?: string): StartCounts {
    return sumOfStarts(this.#fork?.counts(key), this.#tallies.counts(key));
  }

  forget(key: string): void {
    this.#fork?.forget(key);
    this.#tallies.forget(key);
  }

  launch(request: LaunchRequest, onExit: OnExit): LaunchedChild {
    switch (request.startChildren) {
      case 'fork':
        return this.#forks.launch(request, onExit);
      case 'auto':
        return this.#measured(request, onExit);
      case 'spawn':
        return this.#spawn(request, onExit);
    }
  }

  endAll(): void {
    this.#fork?.endAll();
  }

  async close(): Promise<void> {
    await this.#fork?.close();
  }

  /** Most pools never fork. */
  get #forks(): ForkLauncher {
    this.#fork ??= new ForkLauncher();
    return this.#fork;
  }

  #spawn(request: LaunchRequest, onExit: OnExit): LaunchedChild {
    const { key, notForked } = request;
    this.#tallies.spawned(key);
    if (notForked !== undefined) this.#tallies.notForked(key, notForked);
    return spawnLauncher.launch(request, onExit);
  }

  #measured(request: LaunchRequest, onExit: OnExit): LaunchedChild {
    const { key, modules, preload } = request;
    const pays = this.#policy.choose(key) === 'fork';
    const isForked = pays && this.#forks.isReadyFor(request);
    // Said only where there is no other reason.
    if (pays && !isForked) this.#tallies.notForked(key, 'its fork server was not ready yet');
    const launchedAtMs = performance.now();
    let spokeAtMs: number | undefined;
    const exited: OnExit = (exit, error) => {
      // Whoever dies or is killed has not lived as long as was planned.
      if (spokeAtMs !== undefined && exit.exitCode === 0) {
        this.#policy.ended(key, performance.now() - spokeAtMs, preload && modules.length > 0);
      }
      onExit(exit, error);
    };
    const child = isForked ? this.#forks.launch(request, exited) : this.#spawn(request, exited);
    child.channel?.once('data', () => {
      spokeAtMs = performance.now();
      if (!isForked) this.#policy.started(key, spokeAtMs - launchedAtMs);
    });
    return child;
  }
}
