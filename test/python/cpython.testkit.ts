/** Runs programs of CPython beside ours: each in a process group of its own, under a hard time limit. */
import { spawn, spawnSync } from 'node:child_process';

/** The interpreter of this machine; undefined where there is none that has multiprocessing. */
export const python: string | undefined = ['/usr/bin/python3', 'python3'].find((path) => {
  const { status } = spawnSync(path, ['-c', 'import multiprocessing.pool'], { timeout: 20_000 });
  return status === 0;
});

/** What came of a program. */
export interface PythonRun {
  /** What it printed, without the line that says that it has begun. */
  readonly lines: readonly string[];
  /** False: it was killed when its time was over. */
  readonly finished: boolean;
}

// A program that has not begun after this long is not hanging: the machine is.
const startMs = 90_000;

export interface PythonOptions {
  readonly args?: readonly string[];
  /** Its time, from the moment at which it prints `begun`. Only a program that is expected to hang uses all of it. */
  readonly limitMs?: number;
  /** What it leaves behind lives this long after its end. Default: not at all. */
  readonly lingerMs?: number;
  /** Called with its pid for each line that it prints. */
  readonly onLine?: (line: string, pid: number) => void;
}

/** Runs a program until it ends or its time is over. Nothing of it is left afterwards. */
export async function runPython(program: string, options: PythonOptions = {}): Promise<PythonRun> {
  const { args = [], limitMs = 90_000, lingerMs = 0, onLine } = options;
  if (python === undefined) throw new Error('There is no python3 here.');
  // A group of its own: its children are of it and end with it.
  const child = spawn(python, [program, ...args], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${python} could not be started.`);
  const lines: string[] = [];
  let rest = '';
  let isOver = false;
  const killGroup = (): void => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  };
  let timer = setTimeout(() => {
    isOver = true;
    killGroup();
  }, startMs);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      if (line === 'begun') {
        clearTimeout(timer);
        timer = setTimeout(() => {
          isOver = true;
          killGroup();
        }, limitMs);
      }
      onLine?.(line, pid);
    }
  });
  await new Promise((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  // What it has left behind may go on for so long: that is what is looked at.
  if (lingerMs > 0) await new Promise((resolve) => setTimeout(resolve, lingerMs));
  killGroup();
  if (!lines.includes('begun')) throw new Error(`${program} never began.`);
  return { lines: lines.filter((line) => line !== 'begun'), finished: !isOver };
}
