import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What the command printed, and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** `npm run sim -- …`, in a process of its own: the cores as they are, and no test runner around them. */
export function sim(...words: string[]): Promise<Ran> {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@shoal/source', main, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const take = (part: Buffer): void => {
    output += part.toString();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
