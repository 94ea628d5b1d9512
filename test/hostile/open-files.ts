import { execFileSync } from 'node:child_process';

/** Beside the silent ones: of a coordinator, its agent and whoever attacks. */
const others = 200;

/** Throws where so many silent connections cannot be held, at either end. (Node raises its own limit as far as it may.) */
export function checkOpenFiles(silent: number): void {
  const text = execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  const most = text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
  const needed = silent + others;
  if (most >= needed) return;
  throw new Error(
    `${silent} silent connections take ${needed} open files in a process, and ${most} are allowed here. Run \`ulimit -n ${needed}\` as root first, or give --silent ${Math.max(0, most - others)}.`,
  );
}
