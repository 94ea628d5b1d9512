import { exitCode } from './exit-code.ts';
import { giveHeapRoom } from './heap-room.ts';
import { outliveReaders } from './output.ts';
import type { Terminal } from './terminal.ts';

/** What runs until somebody ends it: a coordinator, an agent, a cluster on this machine. */
export interface Service {
  /** Finish what runs, take nothing new. Called again: end now. Resolves when nothing is left. */
  close(options: { readonly drain: boolean }): Promise<void>;
  /** Resolves with an exit code when the service ends by itself. Default: it never does. */
  readonly ended?: Promise<number>;
}

/**
 * Runs a service until it ends or a signal ends it: the first SIGTERM (or Ctrl-C) drains, the second ends it now. Given
 * one that starts, it heeds signals already: whoever sees it say that it listens may send one at once.
 *
 * It outlives whoever reads what it says: others work with it, and what nobody reads is no result.
 *
 * Resolves to 0 after SIGTERM, 130 after Ctrl-C; rejects when the service does not start.
 */
export async function untilEnded(
  starting: Service | Promise<Service>,
  terminal: Pick<Terminal, 'stderr' | 'stdout'>,
): Promise<number> {
  // For good: it may have something to say when it has ended, too.
  outliveReaders(terminal);
  giveHeapRoom();
  const started = Promise.resolve(starting);
  const signalled = Promise.withResolvers<number>();
  let signals = 0;
  const handle = (signal: NodeJS.Signals): void => {
    signals += 1;
    const code = signal === 'SIGINT' ? exitCode.interrupted : exitCode.done;
    // A third one says that closing itself hangs; what we started is gone with us.
    if (signals > 2) process.exit(code);
    const drain = signals === 1;
    started.then((service) => service.close({ drain })).then(() => signalled.resolve(code), signalled.reject);
  };
  const ending = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  for (const signal of ending) process.on(signal, handle);
  try {
    const byItself = started.then(({ ended }) => ended ?? new Promise<never>(() => {}));
    return await Promise.race([signalled.promise, byItself]);
  } finally {
    for (const signal of ending) process.off(signal, handle);
  }
}
