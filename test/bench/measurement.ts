import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** What a measuring process says, in a line of JSON. */
export interface Measurement {
  /** Milliseconds or bytes, as its workload has it. */
  readonly value: number;
  /** The fingerprint of everything that came out, in its order. */
  readonly digest: string;
}

const reasonCharsMax = 2_000;

const running = new Set<ChildProcess>();

/** Ends whatever is being measured, with all that it started: Ctrl-C reaches none of them. */
export function endMeasurements(): void {
  for (const child of running) endGroup(child);
}

/** Runs a measuring process. Rejects with what it said where it failed, or took longer than `timeoutMs`. */
export async function measure(argv: readonly string[], timeoutMs: number): Promise<Measurement> {
  const [command = '', ...args] = argv;
  // It leads a group: whatever it started and left behind is ended with it.
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  running.add(child);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup(child);
  }, timeoutMs);
  try {
    const exit = new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => {
        // A process that it left behind would hold the pipes open.
        endGroup(child);
        resolve(code);
      });
    });
    const [code, stdout, stderr] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
    if (timedOut)
      throw new Error(`was not done within ${timeoutMs / 1_000} s ${stderr}`.slice(0, reasonCharsMax));
    if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`.slice(0, reasonCharsMax));
    return parsed(stdout);
  } finally {
    running.delete(child);
    clearTimeout(timer);
  }
}

function parsed(stdout: string): Measurement {
  const line = stdout.trim();
  const read: unknown = line.startsWith('{') ? JSON.parse(line) : undefined;
  if (typeof read !== 'object' || read === null || !('value' in read) || !('digest' in read)) {
    throw new Error(`printed no measurement but ${JSON.stringify(line.slice(0, reasonCharsMax))}`);
  }
  const { value, digest } = read;
  if (typeof value !== 'number' || typeof digest !== 'string') throw new Error(`printed ${line}`);
  return { value, digest };
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
