import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

test('the report of a run has every test, its tries and errors, and the errors that belong to no test', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-report-'));
  const file = join(folder, 'of-a-run', 'report.ndjson');
  const run = spawnSync(
    process.execPath,
    [path('../../node_modules/vitest/vitest.mjs'), 'run', '--root', path('fixtures/report')],
    { env: { ...process.env, REPORT: file }, encoding: 'utf8', cwd: path('../..') },
  );
  try {
    expect(run.status, run.stderr).toBe(1);
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; file?: string });
    const sample = lines.filter((line) => line.file === 'fixture > sample.fixture.ts');
    const place = 'at test/architecture/fixtures/report/sample.fixture.ts:';
    expect(sample).toMatchObject(
      [
        { kind: 'began' },
        { kind: 'test', name: 'passes', state: 'passed', tries: 1, errors: [] },
        { kind: 'test', name: 'is skipped', state: 'skipped' },
        { kind: 'test', name: 'passes on its second try', state: 'passed', tries: 2, errors: [/first try/] },
        { kind: 'test', name: 'fails', state: 'failed', tries: 2, errors: [/a.*1/s, /a.*1/s] },
        { kind: 'test', name: 'a group > never runs', state: 'skipped' },
        { kind: 'ended', errors: [/the hook fails/] },
      ].map(({ errors, ...line }) => ({
        ...line,
        ...(errors === undefined ? {} : { errors: errors.map((text) => expect.stringMatching(text)) }),
      })),
    );
    expect(JSON.stringify(sample)).toContain(place);
    const others = lines.filter((line) => !sample.includes(line));
    expect(others).toEqual(
      expect.arrayContaining([
        {
          kind: 'ended',
          file: 'fixture > unloadable.fixture.ts',
          errors: [expect.stringContaining('does not load')],
        },
        { kind: 'unhandled', error: expect.stringContaining('left behind') },
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
