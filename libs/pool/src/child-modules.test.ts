import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { type Outcome, setupOf, TestPool } from './child-pool/child-pool.testkit.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Runs `f` of work.ts (or of the file that is named) in a project of these files. */
async function tryIn(
  files: Readonly<Record<string, string>>,
  items: readonly unknown[] = [1],
  entry: string = 'work.ts',
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-project-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const p = new TestPool(1);
  cleanups.push(() => p.pool.terminate());
  // A cache of its own, so that nothing is found that an earlier run has left.
  const env = { ...setupOf().env, NODE_COMPILE_CACHE: join(folder, '.cache') };
  const url = pathToFileURL(join(folder, entry)).href;
  const ref = { kind: 'export', name: 'f', url, export: 'f' } as const;
  return p.run(ref, items, { setup: setupOf({ env }) });
}

/** The same, where loading has to work. */
async function runIn(...args: Parameters<typeof tryIn>): Promise<Outcome> {
  const outcome = await tryIn(...args);
  expect(outcome.detail).toEqual({});
  return outcome;
}

const [unset, esm, commonJs] = [
  {},
  { 'package.json': '{ "type": "module" }' },
  { 'package.json': '{ "type": "commonjs" }' },
];

test.each([
  ['without a package.json', unset],
  ['in an ESM package', esm],
  ['in a CommonJS package', commonJs],
])('enum, namespace and parameter property are compiled, %s', async (_, files) => {
  const { values } = await runIn(
    {
      ...files,
      'work.ts': `
      import { Shape } from './shape.ts';
      enum Color { Red = 1, Green }
      namespace Names { export const of = (color: Color): string => Color[color]; }
      export function f(x: Color): string { return Names.of(x) + new Shape('box').name(); }`,
      'shape.ts': `
      export class Shape {
        constructor(private readonly kind: string) {}
        name(): string { return this.kind; }
      }`,
    },
    [1, 2],
  );
  expect([...values.values()]).toEqual(['Redbox', 'Greenbox']);
});

test.each([
  [
    'behind a statement',
    'const z = 1; enum E { a = 1 }\nexport const f = (x: number): number => x + E.a * z;',
  ],
  ['behind a comment', '/* its own */ enum E { a = 1 }\nexport const f = (x: number): number => x + E.a;'],
  ['before the exports of its line', 'enum E { a = 1 } export const f = (x: number): number => x + E.a;'],
  [
    'a namespace',
    'let z = 1; namespace N { export const a = z; }\nexport const f = (x: number): number => x + N.a;',
  ],
  [
    'of words alone',
    '// an enum E, a module M\nexport const f = (x: number): number => x + "; enum E {".length - 9;',
  ],
])('what stands for code is compiled wherever it stands on its line: %s', async (_, text) => {
  expect((await runIn({ ...esm, 'work.ts': text }, [2])).values.get(0)).toBe(3);
});

test('a .cts file with an enum is CommonJS all the same', async () => {
  const text = `enum A { b = 40 }\nconst n: number = A.b;\nexports.f = (x: number) => n + x;`;
  expect((await runIn({ ...esm, 'work.cts': text }, [2], 'work.cts')).values.get(0)).toBe(42);
});

test('imports may lack their ending, have that of the compiled file, or name a folder', async () => {
  const { values } = await runIn({
    ...esm,
    'work.ts': `
      import { a } from './a';
      import { b } from './b.js';
      import { c } from './c';
      import { d } from '.';
      export const f = (x: number): number => x + a + b + c + d;`,
    'a.ts': 'export const a: number = 1;',
    'b.ts': 'export const b: number = 10;',
    'c/index.ts': 'export const c: number = 100;',
    'index.ts': 'export const d: number = 1000;',
  });
  expect(values.get(0)).toBe(1112);
});

test('path aliases and baseUrl of the tsconfig.json are followed, through extends and comments', async () => {
  const { values } = await runIn(
    {
      ...esm,
      'tsconfig.json': `{ // of the project
      "extends": "./config/base", /* and */ "compilerOptions": { "strict": true, }, }`,
      'config/base.json': `{ "compilerOptions": {
      "baseUrl": "../src", "paths": { "@lib/*": ["lib/*", "other/*"], "config": ["settings.ts"] } } }`,
      'src/jobs/work.ts': `
      import { one } from '@lib/one';
      import { two } from '@lib/two';
      import settings from 'config';
      import { three } from 'lib/three';
      export const f = (): unknown[] => [one, two, settings, three];`,
      'src/lib/one.ts': 'export const one = 1;',
      'src/other/two.ts': 'export const two = 2;',
      'src/lib/three.ts': 'export const three = 3;',
      'src/settings.ts': 'export default { is: "settings" };',
    },
    [1],
    'src/jobs/work.ts',
  );
  expect(values.get(0)).toEqual([1, 2, { is: 'settings' }, 3]);
});

test('an import that only names a type may lack the word, unless the tsconfig.json demands it', async () => {
  const { values } = await runIn(
    {
      ...esm,
      'tsconfig.json': '{}',
      'work.ts': `
      import { Item, weight } from './item';
      export const f = (x: number): number => { const item: Item = { x }; return weight(item); };`,
      'item.ts': `
      export interface Item { readonly x: number }
      export const weight = ({ x }: Item): number => 2 * x;`,
    },
    [21],
  );
  expect(values.get(0)).toBe(42);
});

test('JSON, CommonJS and packages can be imported, with and without an attribute', async () => {
  const { values } = await runIn({
    ...esm,
    'work.ts': `
      import { createRequire } from 'node:module';
      import plain from './data.json';
      import typed from './data.json' with { type: 'json' };
      import old from './old.cjs';
      import { tool } from 'tool';
      const required = createRequire(import.meta.url)('./data.json');
      export const f = (): unknown[] => [plain, typed.a, required.a, old.b, tool(3)];`,
    'data.json': '{ "a": 1 }',
    'old.cjs': 'const { a } = require("./data.json"); module.exports = { b: a + 1 };',
    'node_modules/tool/package.json': '{ "name": "tool", "main": "main.js" }',
    'node_modules/tool/main.js': 'exports.tool = (x) => x * x;',
  });
  expect(values.get(0)).toEqual([{ a: 1 }, 1, 1, 2, 9]);
});

test('TSX is compiled', async () => {
  const { values } = await runIn(
    {
      ...esm,
      'tsconfig.json': '{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }',
      'work.tsx': `
      const h = (name: string, _: unknown, text: string): string => name + ':' + text;
      export const f = (x: number): string => <b>{String(x)}</b>;`,
    },
    [7],
    'work.tsx',
  );
  expect(values.get(0)).toBe('b:7');
});

test('what has no other name for its file is still not found, and says so', async () => {
  const text = `import { a } from './nowhere';\nexport const f = (): number => a;`;
  const { ending, detail } = await tryIn({ ...esm, 'work.ts': text });
  expect(ending).toEqual({ kind: 'taskFailed' });
  expect(detail.failure?.facts['reason']).toContain('nowhere');
});

test('a stack shows the lines of the source: of stripped, compiled and ready-made JavaScript', async () => {
  const enumFile = `\n\n\nexport enum E { a }\nexport function f(x: number): number {\n  const y: number = x;\n  throw new Error('here');\n}\n`;
  const compiled = await runIn({ ...esm, 'work.ts': enumFile });
  expect(compiled.failures.get(0)?.data.stack).toMatch(/work\.ts:7:9/);
  const plain = await runIn({ ...esm, 'work.ts': enumFile.replace('export enum E { a }', '') });
  expect(plain.failures.get(0)?.data.stack).toMatch(/work\.ts:7:9/);
  const map = { version: 3, sources: ['original.ts'], names: [], mappings: 'AAAA;AAIC' };
  const url = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
  const code = `export function f() {\n throw new Error('there'); }\n//# sourceMappingURL=${url}\n`;
  const made = await runIn({ ...esm, 'work.js': code }, [1], 'work.js');
  expect(made.failures.get(0)?.data.stack).toMatch(/original\.ts:5/);
});

test('a comment with tags is no reason to compile a file: Node takes its types out, and leaves everything where it is', async () => {
  const text = `/**
 * Twice as much as {@link Number} says, an enum of the module X.
 * @param {number} x it
 */
export const f = (x: number): string => String(x * 2) + new Error().stack?.includes('work.ts:5:');
`;
  expect((await runIn({ ...esm, 'work.ts': text }, [2])).values.get(0)).toBe('4true');
  expect(
    (await runIn({ ...esm, 'work.ts': text.replace('String(x * 2)', 'String(f)') }, [2])).values.get(0),
  ).toContain('(x        )         =>');
});
