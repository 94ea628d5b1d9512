import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

// tools/install.mjs in a clone of its own, with an npm that does what the test says.
const script = fileURLToPath(new URL('../../tools/install.mjs', import.meta.url));
const installs = `mkdir -p node_modules/.bin && touch node_modules/.package-lock.json node_modules/.bin/node`;
let clone: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'shoal-install-'));
  mkdirSync(join(clone, 'tools'));
  cpSync(script, join(clone, 'tools/install.mjs'));
  writeFileSync(join(clone, 'package-lock.json'), '{}');
});

afterEach(() => rmSync(clone, { recursive: true, force: true }));

test('a fresh clone is installed, once', () => {
  npmDoes(installs);
  expect(install()).toMatchObject({ status: 0, npmRuns: ['ci'] });
  expect(install()).toMatchObject({ status: 0, npmRuns: ['ci'], stderr: '' });
});

test('a lock file newer than the install is installed again', () => {
  npmDoes(installs);
  install();
  const later = Date.now() / 1000 + 60;
  utimesSync(join(clone, 'package-lock.json'), later, later);
  expect(install()).toMatchObject({ status: 0, npmRuns: ['ci', 'ci'] });
});

test('an install that hangs is killed with everything it started, and tried a second time', () => {
  npmDoes(`if [ -f hung ]; then ${installs}; else touch hung; sleep 600 & echo $! > helper.pid; wait; fi`);
  const { status, npmRuns, stderr } = install();
  expect({ status, npmRuns }).toEqual({ status: 0, npmRuns: ['ci', 'ci'] });
  expect(stderr).toContain('npm ci did not finish within 1 s and was killed');
  expect(runs(Number(readFileSync(join(clone, 'helper.pid'), 'utf8')))).toBe(false);
});

test('an install that fails twice fails, and says with what', () => {
  npmDoes('exit 7');
  const { status, npmRuns, stderr } = install();
  expect({ status, npmRuns }).toEqual({ status: 1, npmRuns: ['ci', 'ci'] });
  expect(stderr).toContain('npm ci ended with exit code 7');
});

function npmDoes(commands: string): void {
  mkdirSync(join(clone, 'bin'));
  writeFileSync(join(clone, 'bin/npm'), `#!/bin/sh\necho "$1" >> npm-runs\n${commands}\n`);
  chmodSync(join(clone, 'bin/npm'), 0o755);
}

function install(): { status: number | null; stderr: string; npmRuns: string[] } {
  const { status, stderr } = spawnSync(process.execPath, [join(clone, 'tools/install.mjs')], {
    cwd: clone,
    encoding: 'utf8',
    env: {
      PATH: [join(clone, 'bin'), process.env['PATH']].join(delimiter),
      SHOAL_INSTALL_TIMEOUT_MS: '1000',
    },
  });
  const log = join(clone, 'npm-runs');
  return { status, stderr, npmRuns: existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [] };
}

/** Whether a process runs; one that is dead and not yet collected does not. */
function runs(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}
