import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';

// What is installed is what has been built: `npm run build` comes first. Every module costs whoever starts.
const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-loads-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Loads {
  /** Files of packages, by the process that loaded them: ours by their place in the tree, others by their package. */
  readonly files: ReadonlyMap<number, readonly string[]>;
  readonly pid: number;
  readonly stdout: string;
}

/** Runs Node on these arguments, from what was built, and says what was loaded in it and in every child. */
function run(...args: readonly string[]): Loads {
  const log = join(folder, 'loads');
  const hook = join(folder, 'hook.mjs');
  writeFileSync(
    hook,
    `import { appendFileSync } from 'node:fs';
    import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) {
      appendFileSync(${JSON.stringify(log)}, process.pid + ' ' + url + '\\n');
      return next(url, context);
    } });`,
  );
  const { pid, status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: `--import=${pathToFileURL(hook).href}`, SHOAL_ADDRESS: '' },
  });
  expect(status, stderr).toBe(0);
  const files = Map.groupBy(readFileSync(log, 'utf8').trim().split('\n'), (line) =>
    Number.parseInt(line, 10),
  );
  return { pid, stdout, files: new Map([...files].map(([of, lines]) => [of, placesOf(lines)])) };
}

/** Without Node's own modules and the numbers of chunks. */
function placesOf(lines: readonly string[]): string[] {
  const urls = lines
    .map((line) => line.slice(line.indexOf(' ') + 1))
    .filter((url) => url.startsWith('file:'));
  const places = urls.map((url) => {
    const path = fileURLToPath(url)
      .replace(root, '')
      .replace(/chunk-.*\.js$/, 'chunk.js');
    return /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path;
  });
  return [...new Set(places)].filter((place) => !place.startsWith(folder)).toSorted();
}

const pool = [
  'libs/errors/dist/index.js',
  'libs/folders/dist/index.js',
  'libs/pool/dist/chunk.js',
  'libs/pool/dist/index.js',
  'libs/scheduler/dist/index.js',
];

test("import 'shoal' loads the pool, the scheduler and the errors, and none of Node's larger modules", () => {
  const program = `
    await import('shoal');
    const own = process.moduleLoadList.filter((name) => /^NativeModule [a-z_0-9/]+$/.test(name));
    console.log(own.map((name) => name.slice('NativeModule '.length)).join(' '));`;
  const { files, pid, stdout } = run('--input-type=module', '--eval', program);
  expect(files.get(pid)).toEqual([...pool, 'libs/shoal/dist/index.js'].toSorted());
  const large = [
    'crypto',
    // It brings readline and watchers of folders.
    'fs/promises',
    'http',
    'http2',
    'https',
    'inspector',
    'repl',
    'sqlite',
    'tls',
    'worker_threads',
    'zlib',
  ];
  expect(
    stdout
      .trim()
      .split(' ')
      .filter((name) => large.includes(name)),
  ).toEqual([]);
});

test('a child process loads one file of ours, and its task module', () => {
  const { files, pid } = run(
    'libs/shoal/bin/shoal.js',
    'map',
    'examples/square.ts#square',
    '--local',
    '--input',
    '1..2',
  );
  const children = [...files].filter(([of]) => of !== pid).flatMap(([, loaded]) => loaded);
  expect([...new Set(children)].toSorted()).toEqual(['examples/square.ts', 'libs/pool/dist/child-main.js']);
});

test.each<[string, Record<string, unknown>]>([
  ['execArgv', { execArgv: ['--permission', '--allow-fs-read=FOLDER/*'] }],
  ['NODE_OPTIONS', { env: { NODE_OPTIONS: '"--permission" --allow-fs-read=FOLDER/*' } }],
])('a child that may read nothing but its task module, by %s, starts all the same', (_, options) => {
  writeFileSync(join(folder, 'work.mjs'), 'export const twice = (x) => 2 * x;\n');
  const program = join(folder, 'program.mjs');
  const given = JSON.stringify({ processes: 1, ...options }).replaceAll('FOLDER', folder);
  writeFileSync(
    program,
    `import { Pool } from ${JSON.stringify(pathToFileURL(join(root, 'libs/shoal/dist/index.js')))};
    await using pool = new Pool(${given});
    console.log(await pool.map(new URL('work.mjs', import.meta.url), [1, 2], { export: 'twice' }));`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  expect(stdout, stderr).toBe('[ 2, 4 ]\n');
});

test('the line of a child that Node shows with an error that nobody caught is one that a terminal can', () => {
  const programs = ['child-main.js', 'lone-child-main.js', 'fork-main.js', 'container-main.js'];
  const files = [...programs, 'child-main.script.js'];
  for (const file of files) {
    const lines = readFileSync(join(root, 'libs/pool/dist', file), 'utf8').split('\n');
    const longest = Math.max(...lines.map((line) => line.length));
    expect(longest, file).toBeLessThan(2_000);
  }
});

test('a task module gets the part of shoal that it uses', () => {
  const work = join(root, '.build', 'loads-work.js');
  writeFileSync(work, "import { task } from 'shoal';\nexport const f = task(import.meta, (x) => x + 1);\n");
  try {
    const { files, pid } = run('libs/shoal/bin/shoal.js', 'map', `${work}#f`, '--local', '--input', '1..2');
    const children = [...files].filter(([of]) => of !== pid).flatMap(([, loaded]) => loaded);
    expect([...new Set(children)].toSorted()).toEqual([
      '.build/loads-work.js',
      'libs/errors/dist/index.js',
      'libs/pool/dist/child-main.js',
      'libs/pool/dist/chunk.js',
      'libs/pool/dist/task/task-entry.js',
      'libs/shoal/dist/child.js',
    ]);
  } finally {
    rmSync(work);
  }
});

test('what a bundle carries of shoal is small, from what was built too', async () => {
  // The modules that libs/client/src/bundle/shoal-runtime.ts puts in the place of shoal.
  const contents =
    "export { current, task } from '@shoal/pool/task';\nexport { ItemError, ShoalError } from '@shoal/errors';";
  const stdin = { contents, resolveDir: join(root, 'libs/client') };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, format: 'esm', platform: 'node' });
  expect(outputFiles[0]?.contents.byteLength).toBeLessThan(32 * 1024);
});

test('shoal map loads what it needs on this machine: no gRPC, no protocol, no certificates, no logs', () => {
  const { files, pid } = run(
    'libs/shoal/bin/shoal.js',
    'map',
    'examples/square.ts#square',
    '--local',
    '--input',
    '1..2',
  );
  expect(files.get(pid)).toEqual(
    [
      ...pool,
      'apps/cli/dist/chunk.js',
      'apps/cli/dist/index.js',
      'commander',
      'libs/shoal/bin/shoal.js',
    ].toSorted(),
  );
});

test.each(['--version', '--help'])('shoal %s loads the command line alone', (flag) => {
  const { files, pid } = run('libs/shoal/bin/shoal.js', flag);
  expect(files.get(pid)).toEqual([
    'apps/cli/dist/chunk.js',
    'apps/cli/dist/index.js',
    'commander',
    'libs/errors/dist/index.js',
    'libs/shoal/bin/shoal.js',
  ]);
});
