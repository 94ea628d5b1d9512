import type { PoolCommand } from '@shoal/pool/core';
import type { News } from '../messages.ts';

/** News that the coordinator has not taken yet. */
export class NewsShelf {
  readonly #news = new Map<number, News>();

  get size(): number {
    return this.#news.size;
  }

  find(entry: number): News | undefined {
    return this.#news.get(entry);
  }

  keep(entry: number, content: 'inHand' | 'returned' | 'setupFailure', inHand: News | undefined): void {
    this.#news.set(entry, content === 'inHand' && inHand !== undefined ? inHand : returnedOr(content));
  }

  drop(entries: readonly number[]): void {
    for (const entry of entries) this.#news.delete(entry);
  }

  crash(): void {
    this.#news.clear();
  }
}

function returnedOr(content: 'inHand' | 'returned' | 'setupFailure'): News {
  return { kind: 'ended', ending: { kind: content === 'setupFailure' ? 'unrunnable' : 'returned' } };
}

/** How the end of a chunk is told to the coordinator. */
export function endingNews(ending: Extract<PoolCommand, { type: 'endChunk' }>['ending']): News {
  switch (ending.kind) {
    case 'finished':
      return { kind: 'ended', ending: { kind: 'finished' } };
    case 'childDied': {
      const { exit, ms, suspects } = ending;
      const attempt = {
        pid: exit.pid ?? 0,
        ms,
        ...(exit.signal === undefined ? {} : { signal: exit.signal }),
        ...(exit.exitCode === undefined ? {} : { exitCode: exit.exitCode }),
      };
      return { kind: 'ended', ending: { kind: 'childDied', death: { attempt }, suspects } };
    }
    case 'timedOut':
    case 'aborted':
      return { kind: 'ended', ending: { kind: 'returned', started: ending.started ?? [] } };
    case 'taskFailed':
    case 'initializerFailed':
      return { kind: 'ended', ending: { kind: 'unrunnable' } };
  }
}
