import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../fixtures/inherits.ts', import.meta.url));

test.skipIf(process.platform !== 'linux').each(['spawn', 'fork'])(
  'a descriptor at or above ulimit -n that was inherited is no child’s, and every child starts (%s)',
  (how) => {
    const file = openSync('/dev/null', 'r');
    const stdio = ['ignore', 'pipe', 'pipe', ...new Array(117).fill('ignore'), file];
    const limited = 'ulimit -n 110 && exec "$0" "$@"';
    const flags = ['--conditions=@shoal/source', program, how];
    const { stderr, stdout } = spawnSync('/bin/sh', ['-c', limited, process.execPath, ...flags], {
      stdio: stdio as 'pipe'[],
      encoding: 'utf8',
      timeout: 60_000,
    });
    closeSync(file);
    expect(stdout, stderr).toBe('true [ false ]\n');
  },
);
