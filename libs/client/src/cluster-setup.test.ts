import { afterEach, expect, test } from 'vitest';
import { clusterSetupOf } from './cluster-setup.ts';

const own = process.execArgv;
afterEach(() => {
  process.execArgv = own;
});

test("of the caller's arguments those travel that mean the same elsewhere, each with its value", () => {
  const travelling = [
    '--max-http-header-size',
    '20000',
    '--conditions',
    'here',
    '-C',
    'there',
    '--stack-size=900',
  ];
  process.execArgv = [
    '--cpu-prof-interval',
    '200',
    ...travelling,
    '--import',
    './hook.js',
    '--title',
    'mine',
  ];
  expect(clusterSetupOf({}).execArgv).toEqual([...travelling, '--enable-source-maps']);
});
