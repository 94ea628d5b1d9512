import type { ItemError, MapPool } from 'shoal';
import { fetchPage, type Page } from './page.ts';

/** What came of the pages, and how fast. */
export interface Scrape {
  /** The pages that could be read, in the order of their addresses. */
  readonly pages: readonly Page[];
  readonly failures: readonly ItemError[];
  readonly seconds: number;
  readonly pagesPerSecond: number;
}

/** How a site is read. */
export interface ScrapeOptions {
  /** How many pages each child process has under way at once. */
  readonly atOncePerChild: number;
  /** A page that takes longer is given up. */
  readonly timeoutMs: number;
}

/** Reads pages with any pool, the one of this machine or one of a cluster. A page that fails costs only itself. */
export async function scrape(
  pool: MapPool,
  urls: readonly string[],
  { atOncePerChild, timeoutMs }: ScrapeOptions,
): Promise<Scrape> {
  const startedAt = performance.now();
  const outcomes = await pool.mapSettled(fetchPage, urls, {
    concurrentTasksPerChild: atOncePerChild,
    timeoutMs,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    pages: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
    failures: outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.error] : [])),
    seconds,
    pagesPerSecond: outcomes.length / seconds,
  };
}
