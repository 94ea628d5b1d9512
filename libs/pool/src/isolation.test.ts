import { expect, test } from 'vitest';
import { isolationLevels, openingOption, stricter } from './isolation.ts';

test('of two levels the stricter one holds', () => {
  expect(isolationLevels.map((level) => stricter(level, 'permission'))).toEqual([
    'permission',
    'permission',
    'user',
    'container',
  ]);
});

test.each([
  [['--allow-fs-write=*'], {}],
  [['--allow_child_process'], {}],
  [['--max-old-space-size=99', '--no-permission'], {}],
  [['--env-file=.env'], {}],
  [['--experimental-default-config-file'], {}],
  [[], { NODE_OPTIONS: '--enable-source-maps --allow-addons' }],
  [[], { NODE_OPTIONS: '"--allow-worker"' }],
])('what would open a child with permissions is found: %j %j', (execArgv, env) => {
  expect(openingOption(execArgv, env as Record<string, string>)).toMatch(/allow|permission|file/);
});

test('other options of Node are not', () => {
  expect(openingOption(['--enable-source-maps', '--import', './allow-all.js'], { NODE_OPTIONS: '' })).toBe(
    undefined,
  );
});
