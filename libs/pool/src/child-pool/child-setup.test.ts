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

test('a value that is an argument of its own shares the fate of its option, however the option is written', () => {
  const left = [
    '--cpu-prof',
    '--cpu-prof-interval',
    '200',
    '--cpu_prof_interval',
    '200',
    '--heap-prof-interval',
    '9',
  ];
  const kept = ['--max-http-header-size', '20000', '-C', 'here', '--title=a_b'];
  expect(inheritedExecArgv([...left, ...kept])).toEqual(kept);
  expect(inheritedExecArgv([...kept, ...left])).toEqual(kept);
  expect(inheritedExecArgv(['--stack_trace_limit=5', ...left])).toEqual(['--stack_trace_limit=5']);
});

test('an empty list of variables is an empty environment', () => {
  expect(childSetupOf({ env: [] }, undefined).env).toEqual({});
});
