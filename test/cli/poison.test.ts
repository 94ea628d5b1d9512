import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Command, shoalCommand } from './command.testkit.ts';

let folder: string;
let work: string;
let dev: Command;
let address: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-poison-'));
  work = join(folder, 'work.ts');
  copyFileSync('test/cli/poison-work.ts', work);
  dev = Command.start(['dev', '--listen', '127.0.0.1:0', '--agents', '1', '--processes', '2']);
  [, address = ''] = await dev.said(/listening on (\S+:\d+)/);
});
afterAll(async () => {
  dev.signal('SIGTERM');
  await dev.ended;
  rmSync(folder, { recursive: true, force: true });
});

/** Runs items 1 to 6 with two that are poison and one that throws; what was saved, by index. */
async function saved(name: string, ...args: string[]) {
  const poison = join(folder, name);
  const onError = args.includes('--on-error') ? [] : ['--on-error', 'keep'];
  const flags = ['--timeout', '1s', ...onError, '--save-poison', poison];
  const ended = await shoalCommand(['map', `${work}#picky`, '--input', '1..6', ...flags, ...args]);
  const files = Object.fromEntries(
    readdirSync(poison).map((file) => [
      /^poison-(\d+)-[0-9a-f]{8}\.json$/.exec(file)?.[1],
      join(poison, file),
    ]),
  );
  return { ...ended, files };
}

describe('shoal map --save-poison', () => {
  for (const [where, args] of [
    ['on this machine', () => ['--local']],
    ['on this machine, unordered', () => ['--local', '--unordered']],
    ['on a cluster', () => ['--address', address]],
  ] as const) {
    test(`${where}: what killed its process or timed out is saved, what threw is not`, async () => {
      const { files, stdout, stderr, exitCode } = await saved(where.replaceAll(' ', '-'), ...args());
      expect(Object.keys(files), stderr).toEqual(['2', '3']);
      expect(exitCode).toBe(1);
      expect(
        stdout
          .split('\n')
          .filter((line) => /^\d+$/.test(line))
          .toSorted(),
      ).toEqual(['1', '2', '6']);
      for (const [index, code] of [
        ['2', 'ITEM_KILLED_CHILD'],
        ['3', 'ITEM_TIMED_OUT'],
      ] as const) {
        const file = files[index] ?? '';
        expect(stderr).toContain(`shoal: item ${index} is saved: shoal replay ${file}\n`);
        expect(statSync(file).mode & 0o777).toBe(0o600);
        expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
          format: 'shoal-poison-1',
          task: { export: 'picky', moduleSha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
          failure: { code },
          item: { index: Number(index) },
        });
      }
    });
  }

  test('with --on-error stop the item that ends the job is saved too', async () => {
    const { files, exitCode } = await saved('stop', '--local', '--on-error', 'stop', '--processes', '1');
    expect(exitCode).toBe(1);
    expect(files).toHaveProperty('2');
  });

  test('a folder that cannot be used is an error before anything runs', async () => {
    const { stdout, stderr, exitCode } = await shoalCommand([
      'map',
      `${work}#picky`,
      '--input',
      '1..2',
      '--save-poison',
      join(work, 'folder'),
    ]);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
    expect(stderr).toContain('FILE_NOT_USABLE');
  });
});

describe('shoal replay', () => {
  let files: Readonly<Record<string, string>>;
  beforeAll(async () => {
    ({ files } = await saved('replayed', '--local'));
  });

  test('runs the one item, alone, and says how it ended; exit code 1', async () => {
    const { stdout, stderr, exitCode } = await shoalCommand(['replay', files['2'] ?? '']);
    expect({ stdout, exitCode }, stderr).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr.split('\n')).toEqual([
      `shoal: item 2 of ${work}#picky, which failed before (ITEM_KILLED_CHILD, tried 3 times)`,
      'looking at 3',
      expect.stringMatching(/^shoal: ITEM_KILLED_CHILD: item 2 killed its process \(SIGSEGV, pid \d+\)\.$/),
      '',
    ]);
  });

  test('an item that ran too long has the limit that it had, or another one', async () => {
    const { stderr, exitCode } = await shoalCommand(['replay', files['3'] ?? '', '--timeout', '300ms']);
    expect(stderr).toMatch(/shoal: ITEM_TIMED_OUT: item 3 ran longer than 300 ms \(pid \d+\)\./);
    expect(exitCode).toBe(1);
    expect((await shoalCommand(['replay', files['3'] ?? ''])).stderr).toContain('item 3 ran longer than 1 s');
  });

  test('with a repaired function it prints the result and says that the module has changed; exit code 0', async () => {
    const text = readFileSync(work, 'utf8');
    try {
      writeFileSync(work, text.replace('x === 3', 'x === 33').replace('x === 5', 'x === 3 || x === 5'));
      const threw = await shoalCommand(['replay', files['2'] ?? '']);
      expect(threw.stderr).toMatch(
        /^shoal: ITEM_THREW: item 2 threw TypeError: not five\n {4}at picky \(.*work\.ts:/m,
      );
      expect(threw.exitCode).toBe(1);
      writeFileSync(work, text.replace('x === 3', 'x === 33'));
      const { stdout, stderr, exitCode } = await shoalCommand(['replay', files['2'] ?? '']);
      expect({ stdout, exitCode }).toEqual({ stdout: '3\n', exitCode: 0 });
      expect(stderr).toContain(`shoal: ${work} has changed since.\n`);
    } finally {
      writeFileSync(work, text);
    }
  });

  test('a file that is no poison, is damaged, or whose module is gone: exit code 2', async () => {
    const damaged = join(folder, 'damaged.json');
    writeFileSync(
      damaged,
      readFileSync(files['2'] ?? '', 'utf8').replace(/"base64": "[^"]*"/, '"base64": "AAAA"'),
    );
    const orphaned = join(folder, 'orphaned.json');
    writeFileSync(orphaned, readFileSync(files['2'] ?? '', 'utf8').replace('work.ts', 'gone.ts'));
    for (const [file, complaint] of [
      ['package.json', 'package.json: it is no file that shoal map --save-poison has written'],
      ['nothing.json', 'nothing.json: there is no such file'],
      [damaged, `${damaged}: it is damaged`],
      [orphaned, `${join(folder, 'gone.ts')}: there is no such file`],
    ] as const) {
      const { stdout, stderr, exitCode } = await shoalCommand(['replay', file]);
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
      expect(stderr).toBe(`shoal: FILE_NOT_USABLE: ${complaint}.\n`);
    }
  });
});
