import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { violationsIn } from '../../tools/boundaries.ts';

let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'shoal-boundaries-'));
  const packages = {
    errors: [],
    scheduler: [],
    protocol: ['errors'],
    pool: ['errors', 'scheduler'],
    client: ['pool'],
  };
  for (const [name, dependencies] of Object.entries(packages)) write(manifest(name, dependencies));
});

afterEach(() => rmSync(tree, { recursive: true, force: true }));

test('the real tree is clean', () => {
  expect(violationsIn(fileURLToPath(new URL('../..', import.meta.url)))).toEqual([]);
});

test('an import that the allow-list permits is no violation', () => {
  write({ 'libs/pool/src/index.ts': "import { codes } from '@shoal/errors';\nexport { codes };\n" });
  expect(violationsIn(tree)).toEqual([]);
});

test.each([
  ['a value import', "import { Pool } from '@shoal/pool';"],
  ['a type import', "import type { Pool } from '@shoal/pool';"],
  ['a re-export', "export * from '@shoal/pool';"],
  ['a type in passing', "export type P = import('@shoal/pool').Pool;"],
  ['a lazy import', "export const pool = () => import('@shoal/pool');"],
])('a forbidden package is reported with its line: %s', (_kind, statement) => {
  write({ 'libs/protocol/src/index.ts': `// One line of comment.\n${statement}\n` });
  expect(violationsIn(tree)).toEqual([
    'libs/protocol/src/index.ts:2 imports @shoal/pool: scope:protocol may use scope:errors',
  ]);
});

test('a unit test keeps to the boundaries of its package', () => {
  write({ 'libs/errors/src/codes.test.ts': "import '@shoal/pool';\n" });
  expect(violationsIn(tree)).toEqual([
    'libs/errors/src/codes.test.ts:1 imports @shoal/pool: scope:errors depends on no package',
  ]);
});

test('a unit test may use what tests of all packages share, and only a test may', () => {
  write({
    'libs/errors/src/codes.test.ts': "import '../../../test/slack.ts';\n",
    'libs/errors/src/codes.ts': "import '../../../test/slack.ts';\n",
    'libs/errors/src/other.test.ts': "import '../../../test/cli/command.testkit.ts';\n",
  });
  const why = 'a relative import stays within its package; import the other one by name';
  expect(violationsIn(tree)).toEqual([
    `libs/errors/src/codes.ts:1 imports ../../../test/slack.ts: ${why}`,
    `libs/errors/src/other.test.ts:1 imports ../../../test/cli/command.testkit.ts: ${why}`,
  ]);
});

test('a forbidden dependency in package.json is reported, used or not', () => {
  write(manifest('errors', ['scheduler']));
  expect(violationsIn(tree)).toEqual([
    '@shoal/errors depends on @shoal/scheduler in its package.json: scope:errors depends on no package',
  ]);
});

test('a package without a rule may use nothing', () => {
  write({ ...manifest('novelty', []), 'libs/novelty/src/index.ts': "import '@shoal/errors';\n" });
  expect(violationsIn(tree)).toEqual([
    'libs/novelty/src/index.ts:1 imports @shoal/errors: scope:novelty has no rule in tools/boundaries.ts',
  ]);
});

test('reaching into another package, by path or by name, is reported', () => {
  write({
    'libs/client/src/a.ts': "import '../../errors/src/index.ts';\n",
    'libs/client/src/b.ts': "import '@shoal/pool/src/child-pool.ts';\n",
    'libs/client/src/c.ts': "import '@shoal/client';\n",
  });
  expect(violationsIn(tree)).toEqual([
    'libs/client/src/a.ts:1 imports ../../errors/src/index.ts: a relative import stays within its package; import the other one by name',
    'libs/client/src/b.ts:1 imports @shoal/pool/src/child-pool.ts: a package is imported from its index only',
    'libs/client/src/c.ts:1 imports @shoal/client: imports within a package are relative',
  ]);
});

test('the scheduler imports nothing but itself', () => {
  write({
    'libs/scheduler/src/clock.ts':
      "import { hrtime } from 'node:process';\nimport './event.ts';\nhrtime();\n",
  });
  expect(violationsIn(tree)).toEqual([
    'libs/scheduler/src/clock.ts:1 imports node:process: the scheduler is pure and stands alone',
  ]);
});

test("the agent's core imports nothing but itself", () => {
  const clocked = "import { hrtime } from 'node:process';\nimport './event.ts';\nhrtime();\n";
  write({
    ...manifest('node-agent', []),
    'libs/node-agent/src/core/fence.ts': clocked,
    'libs/node-agent/src/agent.ts': clocked,
  });
  expect(violationsIn(tree)).toEqual([
    'libs/node-agent/src/core/fence.ts:1 imports node:process: the core is pure and stands alone',
  ]);
});

test('only launchers start processes', () => {
  const spawning = "import { spawn } from 'node:child_process';\nspawn('true');\n";
  write({
    'libs/pool/src/launchers/spawn.ts': spawning,
    'libs/pool/src/launchers/reaper.ts': spawning,
    'libs/pool/src/launchers/reaper.test.ts': spawning,
    'libs/pool/src/pool.ts': spawning,
  });
  expect(violationsIn(tree)).toEqual([
    'libs/pool/src/pool.ts:1 imports node:child_process: processes are started by src/launchers alone',
  ]);
});

test('a child process loads node: builtins only, however far away the import is', () => {
  write({
    'libs/pool/src/child-main.ts':
      "import { connect } from 'node:net';\nimport type { Code } from '@shoal/errors';\nimport './frames.ts';\nconnect(1);\nexport type C = Code;\n",
    'libs/pool/src/frames.ts':
      "import { type Code, codes } from '@shoal/errors';\nexport const c: Code = codes;\n",
  });
  expect(violationsIn(tree)).toEqual([
    'libs/pool/src/frames.ts:1 loads @shoal/errors: a child process loads node: builtins and nothing else (from @shoal/pool src/child-main.ts)',
  ]);
});

test("import 'shoal' stays light: gRPC and esbuild load inside connect()", () => {
  write({
    ...manifest('shoal', ['pool', 'client'], 'shoal'),
    'libs/shoal/src/index.ts':
      "export { Pool } from '@shoal/pool';\nexport const c = () => import('@shoal/client');\n",
    'libs/pool/src/index.ts': "export * from './pool.ts';\n",
    'libs/pool/src/pool.ts': "import { build } from 'esbuild';\nexport const Pool = build;\n",
  });
  expect(violationsIn(tree)).toEqual([
    "libs/pool/src/pool.ts:1 loads esbuild: import 'shoal' is light: load this inside connect(), with import() (from shoal src/index.ts)",
  ]);
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), text);
  }
}

function manifest(
  name: string,
  dependencies: readonly string[],
  packageName = `@shoal/${name}`,
): Record<string, string> {
  const text = JSON.stringify({
    name: packageName,
    dependencies: Object.fromEntries(dependencies.map((each) => [`@shoal/${each}`, '0.1.0'])),
    nx: { tags: [`scope:${name}`] },
  });
  return { [`libs/${name}/package.json`]: text };
}
