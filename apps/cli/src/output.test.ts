import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { run } from './main.ts';
import type { Terminal } from './terminal.ts';

/** A terminal whose stdout takes nothing, and what came on its stderr. */
function without(stdoutCode: string): { readonly terminal: Terminal; readonly said: () => string } {
  const fails = new Writable({
    write: (_chunk, _encoding, done) =>
      done(Object.assign(new Error(`write ${stdoutCode}`), { code: stdoutCode })),
  });
  const stderr = new PassThrough();
  const terminal = { stdin: new PassThrough(), stdout: fails, stderr, env: {}, self: [] };
  return { terminal, said: () => String(stderr.read() ?? '') };
}

test.each(['version', '--version', '--help', 'map --help', 'token generate'])(
  'shoal %s, whose reader has gone, ends as cat does, without a word',
  async (line) => {
    const { terminal, said } = without('EPIPE');
    expect(await run(['node', 'shoal', ...line.split(' ')], terminal)).toBe(141);
    expect(said()).toBe('');
  },
);

test.each(['version', '--help'])('shoal %s says why its output cannot be written', async (line) => {
  const { terminal, said } = without('ENOSPC');
  expect(await run(['node', 'shoal', line], terminal)).toBe(2);
  expect(said()).toBe('shoal: FILE_NOT_USABLE: stdout: no space left on the device.\n');
});

test('a complaint that nobody reads leaves the exit code as it is', async () => {
  const { terminal } = without('EPIPE');
  expect(await run(['node', 'shoal', 'mpa'], { ...terminal, stderr: terminal.stdout })).toBe(2);
});
