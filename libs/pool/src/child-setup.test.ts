import { expect, test } from 'vitest';
import { childSetupOf, inheritedExecArgv } from './child-setup.ts';

test('children inherit what node was told, but not the debugger, scripts of the command line or test runs', () => {
  const given = [
    '--conditions=@shoal/source',
    '--inspect-brk=9229',
    '--inspect',
    '--import',
    './register.js',
    '-e',
    'console.log(1)',
    '--test',
    '--cpu-prof-dir',
    'profiles',
    '-p',
    '-1',
    '--max-old-space-size=512',
    '--enable-source-maps',
  ];
  expect(inheritedExecArgv(given)).toEqual([
    '--conditions=@shoal/source',
    '--import',
    './register.js',
    '--max-old-space-size=512',
    '--enable-source-maps',
  ]);
});

test('an empty list of variables is an empty environment', () => {
  expect(childSetupOf({ env: [] }, undefined).env).toEqual({});
});
