import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixtures = join(root, 'test/architecture/fixtures');

describe('the compiler', () => {
  test.each([
    'libs/scheduler/tsconfig.json',
    'libs/pool/src/core/tsconfig.json',
    'apps/node-agent/src/core/tsconfig.json',
    'libs/client/src/core/tsconfig.json',
    'apps/coordinator/src/core/tsconfig.json',
  ])('refuses I/O, timers and everything that Node adds to the language under %s', (config) => {
    const refused = compilerErrors('io-and-timers.ts', config).map(
      (line) => /Cannot find (?:name|module) '([^']+)'/.exec(line)?.[1] ?? line,
    );
    expect([...new Set(refused)].sort()).toEqual([
      'AbortController',
      'Buffer',
      'clearTimeout',
      'console',
      'crypto',
      'fetch',
      'node:fs',
      'performance',
      'process',
      'queueMicrotask',
      'setImmediate',
      'setInterval',
      'setTimeout',
    ]);
  });

  test('accepts the same file under the settings of ordinary code', () => {
    expect(compilerErrors('io-and-timers.ts', 'tsconfig.base.json')).toEqual([]);
  });
});

describe('the lint', () => {
  /** Every line of the fixture that is impure: all but the comment and the lines that only open or close a body. */
  const impureLines = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 16, 17, 19, 20, 21, 22];
  const homes = {
    scheduler: 'libs/scheduler/src/impure.ts',
    poolCore: 'libs/pool/src/core/impure.ts',
    agentCore: 'apps/node-agent/src/core/impure.ts',
    clientCore: 'libs/client/src/core/impure.ts',
    coordinatorCore: 'apps/coordinator/src/core/impure.ts',
    unitTest: 'libs/scheduler/src/impure.test.ts',
    poolDriver: 'libs/pool/src/impure.ts',
    app: 'apps/coordinator/src/impure.ts',
  };
  let objections: ReadonlyMap<string, readonly number[]>;
  let tree: string;

  beforeAll(() => {
    // A tree of its own under the real lint settings: a fixture inside the repository would fail its lint.
    tree = mkdtempSync(join(tmpdir(), 'shoal-purity-'));
    for (const file of ['biome.json', '.gitignore', 'tools/pure.grit'])
      cpSync(join(root, file), join(tree, file));
    for (const home of Object.values(homes)) {
      mkdirSync(dirname(join(tree, home)), { recursive: true });
      cpSync(join(fixtures, 'clock-chance-promises.ts'), join(tree, home));
    }
    objections = lintErrors(tree);
  });

  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  test.each([homes.scheduler, homes.poolCore, homes.agentCore, homes.clientCore, homes.coordinatorCore])(
    'refuses the clock, chance, promises, async code and reaching outside in %s',
    (home) => {
      expect(objections.get(home)).toEqual(impureLines);
    },
  );

  test.each([homes.unitTest, homes.poolDriver, homes.app])('lets %s use all of them', (home) => {
    expect(objections.get(home)).toBeUndefined();
  });
});

/** What the compiler says about one fixture under the settings of `config`, one error a line. */
function compilerErrors(fixture: string, config: string): string[] {
  // Inside the repository, where @types/node is in reach: it must be the settings that keep it out.
  const folder = join(root, '.build/architecture', config.replaceAll('/', '-'));
  mkdirSync(folder, { recursive: true });
  const onlyThisFile = { files: [join(fixtures, fixture)], include: [], references: [] };
  const noOutput = {
    composite: false,
    incremental: false,
    tsBuildInfoFile: null,
    noEmit: true,
    rootDir: fixtures,
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, config), ...onlyThisFile, compilerOptions: noOutput }),
  );
  const { stdout, error } = spawnSync('tsc', ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
  if (error) throw error;
  return stdout.split('\n').filter((line) => line.includes('error TS'));
}

/** The lines of each file below `tree` that lint calls errors. */
function lintErrors(tree: string): Map<string, number[]> {
  const { stderr, stdout, error } = spawnSync(
    'biome',
    ['lint', '--reporter=concise', '--diagnostic-level=error', '--max-diagnostics=500', '--colors=off', '.'],
    { cwd: tree, encoding: 'utf8' },
  );
  if (error) throw error;
  const lines = new Map<string, Set<number>>();
  for (const [, file = '', line] of `${stdout}\n${stderr}`.matchAll(/^\S+ ([^:\s]+\.ts):(\d+):\d+: /gm)) {
    lines.set(file, (lines.get(file) ?? new Set()).add(Number(line)));
  }
  return new Map([...lines].map(([file, seen]) => [file, [...seen].sort((a, b) => a - b)]));
}
