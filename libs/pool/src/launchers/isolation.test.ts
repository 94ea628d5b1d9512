import { expect, test } from 'vitest';
import { isolationLevels, openingOption, openingVariable, stricter } from './isolation.ts';

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
  [[], { NODE_OPTIONS: '"\\--allow-fs-write=*"' }],
  [['--entry-url', 'data:text/javascript,allow'], {}],
  [['/any/file.js'], {}],
  [['--title=file', '/any/file.js'], {}],
  [['--title', 'x', '/any/file.js'], {}],
  [['--import', '--permission'], {}],
  [['--cpu-prof-dir=file'], {}],
])('what would open a child that is kept apart is found: %j %j', (execArgv, env) => {
  expect(openingOption(execArgv, env as Record<string, string>)).toMatch(/allow|permission|file|entry/);
});

test.each([
  '-',
  '--',
  '-e',
  '-p',
  '-pe',
  '--eval',
  '--print',
  '--run',
  '-c',
  '--check',
  '-i',
  '--test',
  '--build-sea=x',
  '--title',
])('%s is, alone and before a value', (option) => {
  expect(openingOption([option], {})).toBe(option);
  if (option !== '--title') expect(openingOption([option, 'x'], {})).toBe(option);
});

test.each(['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'OPENSSL_CONF', 'NODE_V8_COVERAGE'])(
  'the variable %s is found',
  (name) => {
    expect(openingVariable({ PATH: '/bin', [name]: 'x' })).toBe(name);
  },
);

test('other options of Node are not', () => {
  const execArgv = [
    '--enable-source-maps',
    '--import',
    './allow-all.js',
    '--max-old-space-size=99',
    '-C',
    'x',
  ];
  const env = { NODE_OPTIONS: ' --no-warnings  --conditions=x --expose_gc --stack-size=900' };
  expect(openingOption(execArgv, env)).toBe(undefined);
  expect(openingVariable({ PATH: '/bin', NODE_OPTIONS: '' })).toBe(undefined);
});
