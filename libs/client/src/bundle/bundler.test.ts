import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { evaluate, Project } from './bundle.testkit.ts';
import { Bundler } from './bundler.ts';

const textOf = (bundle: { bytes: Uint8Array }): string => new TextDecoder().decode(bundle.bytes);

describe('what a task module may consist of', () => {
  test('TypeScript with enums, types of other files and JSON travels as one module', async () => {
    await using project = await Project.of({
      'src/work.ts': `import rates from './rates.json' with { type: 'json' };
        import { Kind, type Item } from './kind.ts';
        export const price = (item: Item): number => rates[Kind[item.kind] as 'Book'] * item.count;`,
      'src/kind.ts': `export enum Kind { Book = 4, Pen }
        export interface Item { kind: Kind; count: number }`,
      'src/rates.json': '{"Book": 7, "Pen": 2}',
    });
    const job = await new Bundler().bundle(project.exported('src/work.ts', 'price'));
    expect(job.tasks).toEqual([{ kind: 'export', export: 'price' }]);
    expect(await evaluate(job, 'm.price({ kind: 4, count: 3 })')).toBe(21);
  });

  test('path aliases of the tsconfig are followed, from a module with import.meta too', async () => {
    await using project = await Project.of({
      'tsconfig.json':
        '{"compilerOptions": {"paths": {"#lib/*": ["./src/lib/*"], "@lib/*": ["./src/lib/*"]}}}',
      'src/work.ts': `import { twice } from '@lib/twice.ts';
        export const where = import.meta.url;
        export const run = (n: number) => twice(n);`,
      'src/lib/twice.ts': 'export const twice = (n: number) => 2 * n;',
    });
    const job = await new Bundler().bundle(project.exported('src/work.ts', 'run'));
    expect(await evaluate(job, 'm.run(21)')).toBe(42);
  });

  test('a CommonJS package that requires built-in modules and reads __dirname works', async () => {
    await using project = await Project.of({
      'node_modules/old/package.json': '{"name":"old","main":"lib/index.js"}',
      'node_modules/old/lib/index.js': `const path = require('path');
        const os = require(['o', 's'].join(''));
        // import.meta in a comment
        module.exports = { base: path.basename(__filename), folder: path.basename(__dirname), eol: os.EOL };`,
      'work.ts': `import old from 'old';
        import { createRequire } from 'node:module';
        const require = createRequire(import.meta.url);
        export const run = () => [old, require('node:path').sep];`,
    });
    const job = await new Bundler().bundle(project.exported('work.ts', 'run'));
    expect(await evaluate(job, 'm.run()')).toEqual([{ base: 'index.js', folder: 'lib', eol: '\n' }, '/']);
  });

  test('a CommonJS task module gives its exports on the default one, where a child looks for them', async () => {
    await using project = await Project.of({ 'work.cjs': 'module.exports = { square: (n) => n * n };' });
    const job = await new Bundler().bundle(project.exported('work.cjs', 'square'));
    expect(await evaluate(job, 'm.default.square(7)')).toBe(49);
  });

  test('every module keeps an import.meta of its own, which fileURLToPath and createRequire accept', async () => {
    await using project = await Project.of({
      'src/a.ts': `import { fileURLToPath } from 'node:url';
        import { createRequire } from 'node:module';
        export { url as other } from './deep/b.ts';
        createRequire(import.meta.url);
        export const a = [import.meta.url, import.meta.main, import.meta.dirname, fileURLToPath(import.meta.url)];`,
      'src/deep/b.ts': "export const url = import.meta.url; export const text = 'import.meta';",
    });
    const job = await new Bundler().bundle(project.exported('src/a.ts', 'a'));
    expect(await evaluate(job, '[m.a, m.other]')).toEqual([
      ['file:///shoal-bundle/src/a.ts', false, '/shoal-bundle/src', '/shoal-bundle/src/a.ts'],
      'file:///shoal-bundle/src/deep/b.ts',
    ]);
  });
});

describe('task() in a bundle', () => {
  const files = {
    'one.ts': `import { task } from 'shoal';
      export { b } from './two.ts';
      export const a = task(import.meta, (n: number) => n + 1);
      export const c = task(import.meta, (n: number) => n + 2);`,
    'two.ts': `import { task } from 'shoal';
      export const b = task(import.meta, (n: number) => n * 10);`,
  };

  test('functions of two modules are registered under origins of their own', async () => {
    await using project = await Project.of(files);
    const job = await new Bundler().bundle(project.registered('one.ts', 1));
    expect(job.tasks).toEqual([{ kind: 'registered', origin: 'file:///shoal-bundle/one.ts', ordinal: 1 }]);
    expect(await evaluate(job, '[m.a(1), m.b(1), m.c(1)]')).toEqual([2, 10, 3]);
  });

  test('a module of a package without side effects still registers', async () => {
    await using project = await Project.of({
      'package.json': '{"name":"user","type":"module","sideEffects":false}',
      'one.ts': `import { task } from 'shoal';
        globalThis.registered = true;
        task(import.meta, (n: number) => n);`,
      'init.ts': 'export const init = () => undefined;',
    });
    const job = await new Bundler().bundle(
      project.registered('one.ts', 0),
      project.exported('init.ts', 'init'),
    );
    expect(await evaluate(job, 'globalThis.registered')).toBe(true);
  });

  test('a module that also starts pools loads; starting one inside a task says why not', async () => {
    await using project = await Project.of({
      'main.ts': `import { connect, Pool, task, ShoalError } from 'shoal';
        export const run = task(import.meta, async () => {
          const errors = [];
          try { new Pool(); } catch (error) { errors.push(error); }
          await connect('x:1').catch((error) => errors.push(error));
          return errors.map((error) => [error instanceof ShoalError, error.code, error.message]);
        });
        if (import.meta.main) new Pool();`,
    });
    const job = await new Bundler().bundle(project.registered('main.ts', 0));
    expect(await evaluate(job, 'm.run()')).toEqual([
      [
        true,
        'POOL_IN_CLUSTER_TASK',
        expect.stringMatching(/^new Pool\(\) was called in a task on a cluster/),
      ],
      [true, 'POOL_IN_CLUSTER_TASK', expect.stringMatching(/^connect\(\) was called in a task on a cluster/)],
    ]);
  });

  test('a bundle carries no gRPC, no esbuild and no process code of Shoal', async () => {
    await using project = await Project.of(files);
    const { bundle } = await new Bundler().bundle(project.registered('one.ts', 1));
    expect(textOf(bundle)).not.toMatch(/grpc-js|child_process|from "esbuild"/);
    expect(bundle.bytes.length).toBeLessThan(64 * 1024);
  });
});

describe('an initializer', () => {
  test('shares the state of its module with the task', async () => {
    await using project = await Project.of({
      'work.ts': `let factor = 1;
        export const init = (n: number) => { factor = n; };
        export const run = (n: number) => n * factor;`,
    });
    const job = await new Bundler().bundle(
      project.exported('work.ts', 'run'),
      project.exported('work.ts', 'init'),
    );
    expect(job.tasks).toEqual([
      { kind: 'export', export: 'run' },
      { kind: 'export', export: 'init' },
    ]);
    expect(await evaluate(job, '(m.init(5), m.run(4))')).toBe(20);
  });

  test('of another module comes into the same bundle', async () => {
    await using project = await Project.of({
      'work.ts': "import { state } from './state.ts';\nexport const run = (n: number) => n * state.factor;",
      'init.ts': "import { state } from './state.ts';\nexport default (n: number) => { state.factor = n; };",
      'state.ts': 'export const state = { factor: 1 };',
    });
    const job = await new Bundler().bundle(
      project.exported('work.ts', 'run'),
      project.exported('init.ts', 'default'),
    );
    expect(job.tasks[1]).toEqual({ kind: 'export', export: 'shoalInitializer' });
    expect(await evaluate(job, '(m.shoalInitializer(5), m.run(4))')).toBe(20);
  });
});

describe('what a bundle tells', () => {
  const files = {
    'src/work.ts': `interface Item { n: number }
import { check } from './check.ts';
export enum Mode { On }
export const run = (item: Item): number => check(item.n);
`,
    'src/check.ts': `export const here = import.meta.url;

export function check(n: number): number {
  if (n < 0) {
    throw new RangeError('negative');
  }
  return n;
}
`,
  };

  test('the same sources in another folder give the same hash, and no path of the machine', async () => {
    await using one = await Project.of(files);
    await using two = await Project.of(files);
    const first = await new Bundler().bundle(one.exported('src/work.ts', 'run'));
    const second = await new Bundler().bundle(two.exported('src/work.ts', 'run'));
    expect(second.bundle.sha256).toBe(first.bundle.sha256);
    const map = textOf(first.bundle).split('base64,')[1] ?? '';
    for (const text of [textOf(first.bundle), Buffer.from(map, 'base64').toString()]) {
      expect(text).not.toContain(one.folder);
      expect(text).not.toContain('node_modules');
    }
    expect(JSON.parse(Buffer.from(map, 'base64').toString())).toMatchObject({
      sources: expect.arrayContaining(['shoal-bundle:/src/check.ts', 'shoal-bundle:/src/work.ts']),
    });
  });

  test('a stack trace shows the file and the line that the user wrote', async () => {
    await using project = await Project.of(files);
    const job = await new Bundler().bundle(project.exported('src/work.ts', 'run'));
    const stack = await evaluate(
      job,
      '(() => { try { m.run({ n: -1 }); } catch (error) { return error.stack; } })()',
    );
    expect(stack).toContain('at check (shoal-bundle:/src/check.ts:5:11)');
    expect(stack).toContain('shoal-bundle:/src/work.ts:4:44');
  });
});

describe('builds are used again', () => {
  test('until a file of theirs changes', async () => {
    await using project = await Project.of({
      'work.ts': "import { n } from './n.ts'; export const run = () => n;",
      'n.ts': 'export const n = 1;',
    });
    const long = new Date(Date.now() - 60_000);
    for (const file of ['work.ts', 'n.ts']) utimesSync(join(project.folder, file), long, long);
    const bundler = new Bundler();
    const first = await bundler.bundle(project.exported('work.ts', 'run'));
    expect((await bundler.bundle(project.exported('work.ts', 'run'))).bundle).toBe(first.bundle);
    let turns = 0;
    setImmediate(() => {
      turns += 1;
    });
    expect((await bundler.bundle(project.exported('work.ts', 'run'))).bundle).toBe(first.bundle);
    // Nobody was asked who answers in another turn of the event loop: that would be most of what a short job takes.
    expect(turns).toBe(0);
    await project.write({ 'n.ts': 'export const n = 2;' });
    const changed = await bundler.bundle(project.exported('work.ts', 'run'));
    expect(await evaluate(changed, 'm.run()')).toBe(2);
  });
});

describe('what cannot be bundled is said before anything is sent', () => {
  test('a syntax error, with its place', async () => {
    await using project = await Project.of({ 'src/work.ts': 'export const run = (n: number) =>\n  n +;\n' });
    await expect(new Bundler().bundle(project.exported('src/work.ts', 'run'))).rejects.toMatchObject({
      code: 'TASK_BUNDLE_FAILED',
      message: 'src/work.ts cannot be bundled for the cluster: Unexpected ";" (src/work.ts:2:6).',
    });
  });

  test('a syntax error in a module that uses import.meta, with its place', async () => {
    await using project = await Project.of({ 'work.ts': 'export const u = import.meta.url;\nconst = 3;\n' });
    await expect(new Bundler().bundle(project.exported('work.ts', 'run'))).rejects.toMatchObject({
      code: 'TASK_BUNDLE_FAILED',
      message: expect.stringContaining('(work.ts:2:7)'),
    });
  });

  test('a package that is not installed', async () => {
    await using project = await Project.of({
      'work.ts': "import { x } from 'no-such-package';\nexport const run = x;",
    });
    await expect(new Bundler().bundle(project.exported('work.ts', 'run'))).rejects.toMatchObject({
      code: 'TASK_BUNDLE_FAILED',
      message:
        'work.ts cannot be bundled for the cluster: Could not resolve "no-such-package" (work.ts:1:19). Install the package where the task module can import it.',
    });
  });

  test('a native addon, by name, with the way out', async () => {
    await using project = await Project.of({
      'node_modules/fast/package.json': '{"name":"fast","main":"index.js"}',
      'node_modules/fast/index.js': "module.exports = require('./build/fast.node');",
      'node_modules/fast/build/fast.node': 'ELF',
      'work.ts': "import fast from 'fast';\nexport const run = () => fast;",
    });
    await expect(new Bundler().bundle(project.exported('work.ts', 'run'))).rejects.toMatchObject({
      code: 'TASK_BUNDLE_FAILED',
      message: expect.stringMatching(
        /^work\.ts cannot be bundled for the cluster: node_modules\/fast\/build\/fast\.node is a native addon.*local Pool\.$/,
      ),
    });
  });

  test('an addon that a package can do without does not stand in the way', async () => {
    await using project = await Project.of({
      'node_modules/bindings/package.json': '{"name":"bindings"}',
      'node_modules/bindings/index.js': 'module.exports = (name) => require(name);',
      'node_modules/ws/package.json': '{"name":"ws"}',
      'node_modules/ws/index.js':
        "let fast; try { fast = require('bindings')('fast.node'); } catch (e) { fast = e.message; } module.exports = fast;",
      'work.ts': "import ws from 'ws';\nexport const run = () => ws;",
    });
    const job = await new Bundler().bundle(project.exported('work.ts', 'run'));
    expect(await evaluate(job, 'm.run()')).toContain('addons do not travel');
  });

  test('an export that does not exist, with those that do', async () => {
    await using project = await Project.of({ 'work.ts': 'export const square = 1, cube = 2;' });
    await expect(new Bundler().bundle(project.exported('work.ts', 'sqaure'))).rejects.toMatchObject({
      code: 'TASK_EXPORT_MISSING',
      message: 'work.ts has no export "sqaure". Exports: cube, square. Did you mean square?',
    });
  });

  test('a file that does not exist', async () => {
    await using project = await Project.of({});
    await expect(new Bundler().bundle(project.exported('work.ts', 'x'))).rejects.toMatchObject({
      code: 'TASK_LOAD_FAILED',
      message: 'work.ts cannot be loaded: there is no such file.',
    });
  });
});
