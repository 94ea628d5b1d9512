import { expect, test } from 'vitest';
import { nodeOptions } from './node-options.ts';

test.each<[string, string[], string | undefined, string]>([
  ['arguments', ['--import', './x.mjs'], undefined, '--import ./x.mjs'],
  ['NODE_OPTIONS behind them', ['-r', 'x'], '--prof --log', '-r x --prof --log'],
  [
    'what is quoted, as a whole or in part',
    [],
    '"--import=/a b/x.mjs" --re"quire" y',
    '--import=/a b/x.mjs --require y',
  ],
  ['what is escaped', [], '"\\--import=x"', '--import=x'],
  [
    'underscores',
    ['--experimental_loader', 'x'],
    '--random_seed=5',
    '--experimental-loader x --random-seed=5',
  ],
])('options are read as Node reads them: %s', (_, execArgv, ofEnvironment, text) => {
  const env = ofEnvironment === undefined ? {} : { NODE_OPTIONS: ofEnvironment };
  expect(nodeOptions(execArgv, env)).toBe(text);
});
