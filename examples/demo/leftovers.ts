import { readdirSync, readFileSync } from 'node:fs';

/**
 * Inherited by every process that the demo starts, however indirectly; children of agents get it because the demo
 * asks for it. (A name that begins with SHOAL_ would not reach them: those are the agent's own settings.)
 */
export const marker = 'DEMO_RUN';

/** From now on the processes that we start can be told from all others. */
export function markProcesses(): void {
  process.env[marker] = `${process.pid}-${Date.now()}`;
}

/** The processes that are still there after all was ended. Undefined where the system does not tell (no /proc). */
export async function leftovers(withinMs: number): Promise<readonly string[] | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = markedProcesses();
    if (found === undefined || found.length === 0 || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function markedProcesses(): readonly string[] | undefined {
  const mark = `${marker}=${process.env[marker]}`;
  let pids: readonly string[];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  } catch {
    return undefined;
  }
  return pids.flatMap((pid) => {
    try {
      // A zombie has no environment any more: it is gone, its parent has not looked yet.
      const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
      return isOurs ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`] : [];
    } catch {
      return [];
    }
  });
}
