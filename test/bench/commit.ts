import { execFileSync } from 'node:child_process';

/** What `npm run bench -- --publish` writes: documents and figures, no sources. */
export const publishedPaths = ['README.md', 'docs/benchmarks.md', 'docs/bench'] as const;

/**
 * The commit of the sources in a folder, with `-dirty` behind it where they are not those of that commit. What a benchmark
 * has just published does not count: the second half of a publication measures the same sources as the first.
 * `unknown` where there is no repository.
 */
export function commitOf(folder: string): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const commit = git('describe', '--always', '--exclude', '*');
    const others = publishedPaths.map((path) => `:(top,exclude)${path}`);
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':(top)', ...others);
    return changed === '' ? commit : `${commit}-dirty`;
  } catch {
    return 'unknown';
  }
}
