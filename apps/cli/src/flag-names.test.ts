import { ShoalError } from '@shoal/errors';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { checkedAs, FlagNames, noFlags } from './flag-names.ts';

const command = new Command('map')
  .option('--deadline <time>')
  .option('--timeout <time>')
  .option('--max-item-bytes <size>')
  .option('--lease-ms <n>')
  .option('--labels <list>')
  .option('--max-connections <n>')
  .option('--insecure');
const flags = FlagNames.of(command);

test.each([
  ['Raise deadlineMs.', 'Raise --deadline.'],
  ['Raise timeoutMs or split the item.', 'Raise --timeout or split the item.'],
  ['the limit is 64 MiB (maxItemBytes)', 'the limit is 64 MiB (--max-item-bytes)'],
  ['selfFenceMs must be below leaseMs (10000)', 'selfFenceMs must be below --lease-ms (10000)'],
  ['labels: gpu is empty.', '--labels: gpu is empty.'],
  ['options.labels: gpu is empty.', '--labels: gpu is empty.'],
  ['labels must be an object', '--labels must be an object'],
  ['no agent has labels like these', 'no agent has labels like these'],
  ['maxConnections: (--max-connections) 5 is too few', '--max-connections: 5 is too few'],
  ['more than maxConnections (--max-connections), 5', 'more than --max-connections, 5'],
])('%s becomes %s', (message, told) => {
  expect(flags.in(message)).toBe(told);
});

test('what a function of the user says stays as it said it', () => {
  const facts = { index: 3, reason: 'ReferenceError: timeoutMs is not defined', where: 'pid 7', others: '' };
  expect(flags.textOf(new ShoalError('ITEM_THREW', facts))).toContain('timeoutMs is not defined');
  expect(flags.textOf(new ShoalError('ITEM_TIMED_OUT', { index: 3, limit: '1 s' }))).toContain(
    'Raise --timeout',
  );
});

test('a file that cannot be used is told by the flag that named it', () => {
  const typed = new Command('map').option('--tls-dir <DIR>').option('--insecure');
  typed.parse(['--tls-dir', 'nodir', '--insecure'], { from: 'user' });
  const told = (path: string): string =>
    FlagNames.of(typed).textOf(new ShoalError('FILE_NOT_USABLE', { path, reason: 'it is not there' }));
  expect(['nodir', 'nodir/ca.crt', 'nodirs', 'other'].map(told)).toEqual([
    'nodir: it is not there. (--tls-dir)',
    'nodir/ca.crt: it is not there. (--tls-dir)',
    'nodirs: it is not there.',
    'other: it is not there.',
  ]);
});

test('a file is told by the flags that name files, and of folders by the one that it lies in', () => {
  const typed = new Command('agent')
    .option('--name <name>')
    .option('--labels <k=v,…>')
    .option('--token <FILE>')
    .option('--bundle-dir <dir>')
    .option('--tls-dir <DIR>')
    .option('--input <FILE|-|1..N>');
  const told = (path: string, ...args: readonly string[]): string => {
    typed.parse(['--name', 'abc', ...args], { from: 'user' });
    return FlagNames.of(typed).textOf(new ShoalError('FILE_NOT_USABLE', { path, reason: 'no' }));
  };
  expect(told('abc')).toBe('abc: no.');
  expect(told('abc', '--token', 'abc')).toBe('abc: no. (--token)');
  expect(told('abc/ca.crt', '--token', 'abc', '--tls-dir', 'abc')).toBe('abc/ca.crt: no. (--tls-dir)');
  expect(told('abc', '--token', 'abc', '--input', 'abc')).toBe('abc: no. (--token or --input)');
  expect(told('a/tls/ca.crt', '--bundle-dir', 'a', '--tls-dir', 'a/tls')).toBe(
    'a/tls/ca.crt: no. (--tls-dir)',
  );
  expect(told('a/b', '--bundle-dir', 'a/')).toBe('a/b: no. (--bundle-dir)');
  // As folders are joined with the names of their files, which leaves out what is not needed.
  for (const dir of ['./a', 'a//', 'c/../a', `${process.cwd()}/a`])
    expect(told('a/ca.crt', '--tls-dir', dir), dir).toBe('a/ca.crt: no. (--tls-dir)');
  expect(told('ca.crt', '--tls-dir', '.')).toBe('ca.crt: no. (--tls-dir)');
  expect(told('stdout', '--tls-dir', '.'), 'no file of that folder').toBe('stdout: no.');
});

test('a command without such a flag is told the name in code', () => {
  expect(noFlags.in('Raise deadlineMs.')).toBe('Raise deadlineMs.');
});

test('an option that its package refuses makes the command a wrong one', () => {
  const check = (error: Error) => () =>
    checkedAs(flags, () => {
      throw error;
    });
  expect(check(new RangeError('leaseMs must be at least 4 x heartbeatMs (2000), not 1.'))).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: '--lease-ms must be at least 4 x heartbeatMs (2000), not 1.',
    }),
  );
  const other = new ShoalError('REQUEST_INVALID', { field: 'listen', reason: 'no' });
  expect(check(other)).toThrow(other);
});
