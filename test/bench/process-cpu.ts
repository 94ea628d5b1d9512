import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds that all threads of a process have run for (Linux); 0 for one that is gone. */
export function cpuNanoseconds(pid: number): number {
  let sum = 0;
  for (const thread of listed(`/proc/${pid}/task`)) {
    sum += Number(textOf(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0);
  }
  return sum;
}

/** The processes that a process has started and that still run (Linux). */
export function childrenOf(pid: number): number[] {
  return listed(`/proc/${pid}/task`).flatMap((thread) =>
    textOf(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
