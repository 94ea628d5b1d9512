import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../tools/test-counts.mjs', import.meta.url));
const file = (status: string, ...tests: string[]): object => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

test.each([
  ['all pass', [file('passed', 'passed', 'passed')], 0, '2 passed, 0 failed', 0],
  ['one fails', [file('failed', 'passed', 'failed'), file('passed', 'passed')], 1, '2 passed, 1 failed', 1],
  ['some are skipped', [file('passed', 'passed', 'pending', 'todo')], 0, '1 passed, 0 failed, 2 skipped', 0],
  ['a file does not load', [file('passed', 'passed'), file('failed')], 1, '1 passed, 1 failed', 1],
  ['every test passes and the run fails', [file('passed', 'passed')], 1, '1 passed, 1 failed', 1],
  ['nothing ran', [], 0, '0 passed, 1 failed', 1],
  ['there is no report', undefined, 2, '0 passed, 1 failed', 1],
])('the counts when %s', (_case, testResults, exitCode, line, status) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-counts-'));
  const report = join(folder, 'report.json');
  if (testResults !== undefined) writeFileSync(report, JSON.stringify({ testResults }));
  const counted = spawnSync(process.execPath, [script, report, String(exitCode)], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect({ printed: counted.stdout, status: counted.status }).toEqual({ printed: `${line}\n`, status });
});
