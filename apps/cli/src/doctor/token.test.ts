import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bearerLine, formatJoinToken, newSecret } from '@shoal/credentials';
import { expect, onTestFinished, test } from 'vitest';
import { tokenFindings } from './token.ts';

async function fileWith(text: string, mode = 0o600): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-doctor-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'token');
  await writeFile(file, text, { mode });
  return file;
}

test('where no token was named there is nothing to say', async () => {
  expect(await tokenFindings(async () => undefined)).toEqual([]);
});

test('a token is told by its kind, and not shown', async () => {
  const [one, two] = [newSecret(), newSecret()];
  const join = formatJoinToken({ secret: one, authority: two });
  const file = await fileWith(`${bearerLine({ secret: one, role: 'client' })}\n${two}\n`);
  const findings = [
    ...(await tokenFindings(async () => ({ text: one }))),
    ...(await tokenFindings(async () => ({ text: join }))),
    ...(await tokenFindings(async () => ({ file }))),
  ];
  expect(findings).toEqual([
    { what: 'SHOAL_TOKEN', state: 'ok', says: 'a token' },
    { what: 'SHOAL_TOKEN', state: 'ok', says: 'a token to join with' },
    { what: file, state: 'ok', says: '2 tokens; a client shows the first one' },
  ]);
});

test.each([
  ['that holds none', '', 0o600, 'there is no token in it'],
  ['with something else in it', 'hunter2\n', 0o600, 'line 1 is no token'],
  [
    'that others can read',
    `${newSecret()}\n`,
    0o644,
    'others can read this token (mode 0644); run: chmod 600',
  ],
])('a file %s is broken, and nothing else is', async (_, text, mode, says) => {
  const file = await fileWith(text, mode);
  expect(await tokenFindings(async () => ({ file }))).toEqual([
    { what: file, state: 'broken', says: expect.stringContaining(says) },
  ]);
});
