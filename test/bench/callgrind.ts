/**
 * The processor's instructions of a part of a Node program, counted by valgrind: what else the machine does is not in them,
 * and neither is the kernel.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export const hasValgrind: boolean = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((dir) => existsSync(join(dir, 'valgrind')));

/**
 * Of each part that the program counted, in the order in which it did. It has one thread: the others of V8 would come and go
 * as they like. `args` are those of Node; throws if valgrind or the program fails, or if a part is missing.
 */
export function instructionsOf(args: readonly string[], parts = 1): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-valgrind-'));
  try {
    const out = join(folder, 'out');
    const tool = ['--tool=callgrind', '--instr-atstart=no', `--callgrind-out-file=${out}`];
    const node = [process.execPath, '--single-threaded', ...args];
    execFileSync('valgrind', [...tool, '--smc-check=all-non-file', ...node], { stdio: 'ignore' });
    return Array.from({ length: parts }, (_, at) => {
      const total = /^totals: (\d+)/m.exec(readFileSync(`${out}.${at + 1}`, 'utf8'))?.[1];
      if (total === undefined) throw new Error(`valgrind wrote no total of part ${at + 1}`);
      return Number(total);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function control(...args: string[]): void {
  execFileSync('callgrind_control', [...args, `${process.pid}`]);
}

/** For the program, before it warms up: starting a process for the first time undoes what the compiler took for granted. */
export function prepareCounting(): void {
  control('--instr=off');
}

/** For the program: counts what `run` does, until its promise is settled if it answers one. */
export async function countInstructions(run: () => unknown): Promise<void> {
  control('--instr=on');
  control('--zero');
  await run();
  control('--dump');
  control('--instr=off');
}
