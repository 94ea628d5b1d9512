import { expect } from 'vitest';
import { Project, rejectionOf } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { square, whereAmI } from '../work.ts';

/** The forms of a task function, and those that cannot be had. */
export const functions = chapter('functions', (specify) => {
  specify('a task function that is called directly runs here', async () => {
    expect(square(3)).toBe(9);
    expect(whereAmI()).toMatchObject({ index: undefined });
  });

  specify('a function may be the default export of a module, or a named one', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const module = new URL('../work.ts', import.meta.url);
    expect(await pool.map(module, [1, 2])).toEqual([2, 3]);
    expect(await pool.map(new URL('#square', module), [3])).toEqual([9]);
    expect(await pool.map(module, [3], { export: 'square' })).toEqual([9]);
  });

  specify('a function may be written inline if it needs nothing from outside itself', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await pool.map((x: number) => Math.sqrt(x) + 1, [4, 9])).toEqual([3, 4]);
    expect(await pool.map(async (x: number) => x * 2, [4])).toEqual([8]);
    expect(await pool.map(Math.sqrt, [16])).toEqual([4]);
  });

  specify(
    'a module may use enum, path aliases of its tsconfig.json, JSON, CommonJS and packages',
    async ({ open }) => {
      using project = new Project({
        'tsconfig.json': '{ "compilerOptions": { "paths": { "#lib/*": ["./lib/*"] } } }',
        'lib/color.ts': 'export enum Color { Red = 1, Green }',
        'data.json': '{ "factor": 10 }',
        'old.cjs': 'exports.add = (a, b) => a + b;',
        'node_modules/tiny/package.json': '{ "name": "tiny", "main": "index.js" }',
        'node_modules/tiny/index.js': "module.exports = (text) => text + '!';",
        'work.ts': `
          import tiny from 'tiny';
          import { Color } from '#lib/color.ts';
          import data from './data.json' with { type: 'json' };
          import old from './old.cjs';
          export const f = (x: Color): string => tiny(Color[x] + old.add(x, data.factor));`,
      });
      await using pool = await open({ processes: 1 });
      expect(await pool.map(project.url('work.ts'), [1, 2], { export: 'f' })).toEqual(['Red11!', 'Green12!']);
    },
  );

  specify('a module may be CommonJS', async ({ open }) => {
    using project = new Project({
      'package.json': '{ "type": "commonjs" }',
      'half.js': 'exports.half = (x) => x / 2;',
      'work.js': "const { half } = require('./half.js'); module.exports = { f: (x) => half(x) };",
    });
    await using pool = await open({ processes: 1 });
    expect(await pool.map(project.url('work.js'), [4, 6], { export: 'f' })).toEqual([2, 3]);
  });

  specify('the stack of an error shows the lines that the user wrote', async ({ open }) => {
    using project = new Project({
      'shape.ts':
        'export enum Shape { Box = 1 }\n\nexport function draw(x: Shape): never {\n  throw new Error(Shape[x]);\n}\n',
      'work.ts': "import { draw } from './shape.ts';\nexport const f = (x: number): never =>\n  draw(x);\n",
    });
    await using pool = await open({ processes: 1 });
    const error = await rejectionOf(pool.map(project.url('work.ts'), [1], { export: 'f' }));
    const { message, stack } = (error as Error).cause as Error;
    expect(message).toBe('Box');
    expect(stack).toMatch(/shape\.ts:4:\d+/);
    expect(stack).toMatch(/work\.ts:3:\d+/);
    // Where the agent keeps what it was sent is nobody's business.
    expect(stack).not.toMatch(/[0-9a-f]{64}/);
  });

  specify(
    'a native addon is refused by name, with the way out',
    async ({ open }) => {
      using project = new Project({
        'node_modules/fast/package.json': '{ "name": "fast", "main": "index.js" }',
        'node_modules/fast/index.js': "module.exports = require('./build/fast.node');",
        'node_modules/fast/build/fast.node': 'ELF',
        'work.ts': "import fast from 'fast';\nexport const f = () => fast;",
      });
      await using pool = await open({ processes: 1 });
      const error = await rejectionOf(pool.map(project.url('work.ts'), [1], { export: 'f' }));
      expect(error).toMatchObject({
        code: 'TASK_BUNDLE_FAILED',
        message: expect.stringMatching(/node_modules\/fast\/build\/fast\.node is a native addon/),
      });
    },
    { 'local pool': 'modules are loaded where they are, addons too' },
  );

  specify(
    'an inline function that needs something is refused by name before anything is sent',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const factor = 3;
      expect(await rejectionOf(pool.map((x: number) => x * factor, [1]))).toMatchObject({
        code: 'TASK_NOT_PORTABLE',
        message: expect.stringContaining('`factor`'),
      });
    },
  );

  specify('an export that is missing is named, with those that are there', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const module = new URL('../work.ts', import.meta.url);
    expect(await rejectionOf(pool.map(module, [1], { export: 'sqaure' }))).toMatchObject({
      code: 'TASK_EXPORT_MISSING',
      message: expect.stringMatching(
        /work\.ts has no export "sqaure"\. Exports: .*square.*Did you mean square\?/,
      ),
    });
  });

  specify('a module that is missing is named', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.map('./no-such-file.ts', [1]))).toMatchObject({
      code: 'TASK_LOAD_FAILED',
      message: expect.stringContaining('no-such-file.ts'),
    });
  });

  specify('a module that throws when it is loaded is named, with what it threw', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const module = new URL('../fixtures/throws-at-load.ts', import.meta.url);
    const error = await rejectionOf(pool.map(module, [1, 2, 3]));
    expect(error).toMatchObject({
      code: 'TASK_LOAD_FAILED',
      message: expect.stringMatching(/throws-at-load\.ts.* the configuration is missing/),
    });
    expect(await pool.map(square, [2])).toEqual([4]);
  });

  specify(
    'what is told of a module names the files of the user, wherever it was loaded',
    async ({ open }) => {
      using project = new Project({
        'src/work.ts': `
        import { createRequire } from 'node:module';
        createRequire(import.meta.url)('./not-there.cjs');
        export const f = (x: number) => x;`,
      });
      await using pool = await open({ processes: 1 });
      const error = (await rejectionOf(pool.map(project.url('src/work.ts'), [1], { export: 'f' }))) as Error;
      expect(error).toMatchObject({ code: 'TASK_LOAD_FAILED' });
      const { message, stack } = error.cause as Error;
      for (const text of [error.message, message, stack]) {
        expect(text).toContain('work.ts');
        expect(text).not.toMatch(/[0-9a-f]{64}|shoal-agent|shoal-bundle/);
      }
    },
  );

  specify('processes that cannot be started are an error that says why', async ({ open }) => {
    await using pool = await open({ processes: 1, stdio: 'ignore', execArgv: ['--no-such-option-of-node'] });
    expect(await rejectionOf(pool.map(square, [1]))).toMatchObject({
      code: 'CHILD_START_FAILED',
      message: expect.stringMatching(
        /: \S*node: bad option: --no-such-option-of-node\. Where Node refuses an option, look at execArgv/,
      ),
    });
    await using other = await open({
      processes: 1,
      stdio: 'ignore',
      execArgv: ['--require', './no-such-file.cjs'],
    });
    expect(await rejectionOf(other.map(square, [1]))).toMatchObject({
      code: 'CHILD_START_FAILED',
      message: expect.stringContaining("Cannot find module './no-such-file.cjs'"),
    });
  });

  specify('what is no function is refused by name', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.map(null as unknown as typeof square, [1]))).toBeInstanceOf(TypeError);
    expect(await rejectionOf(pool.apply(square, 3 as unknown as [number]))).toBeInstanceOf(TypeError);
  });

  specify('a task knows its item, its try and its job', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const [, second] = await pool.map(whereAmI, [0, 0]);
    expect(second).toMatchObject({ index: 1, attempt: 1, isSignal: true, job: 'string' });
  });
});
