import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const caller = fileURLToPath(new URL('../hostile/flood-caller.ts', import.meta.url));
const run = promisify(execFile);
/** Before the session was held, 400 calls met the collector at the wrong moment in most runs. */
const calls = 400;

test.concurrent.each([
  ['few, so that Node gives the connection up', 'few'],
  ['many, so that Node gives the call up, and the caller the channel', 'many'],
])(
  'who calls lives through headers without an end: %s',
  async (_, headers) => {
    const args = ['--conditions=@shoal/source', caller, String(calls), headers];
    // A process that an assertion of Node ends rejects with the words of the assertion.
    const { stdout } = await run(process.execPath, args, { timeout: 110_000 });
    expect(stdout).toBe(`${calls}\n`);
  },
  120_000,
);
