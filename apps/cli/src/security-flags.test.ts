import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, formatJoinToken, newSecret, TlsFolder } from '@shoal/credentials';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectionSecurity, type SecurityFlags, secretIn } from './security-flags.ts';
import type { Terminal } from './terminal.ts';

const terminal = { env: {} } as Terminal;
let folder: TlsFolder;
let authority: CertificateAuthority;
beforeEach(async () => {
  folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-security-')));
  authority = await CertificateAuthority.create();
  await folder.write('authority', authority.cert);
});
afterEach(() => rm(folder.path, { recursive: true, force: true }));

const laptop = { name: 'laptop', role: 'client' } as const;
const tls = async (): Promise<unknown> => (await connectionSecurity({ tlsDir: folder.path }, terminal)).tls;

test('a certificate and its key are given by their names, for they may be replaced while a command runs', async () => {
  const ca = folder.pathOf('authority');
  expect(await tls()).toEqual({ ca });
  await folder.writePair('client', await authority.issueIdentity(laptop));
  expect(await tls()).toEqual({ ca, cert: folder.pathOf('client'), key: folder.pathOf('clientKey') });
});

test('the new pair is used where whoever wrote it was killed between certificate and key', async () => {
  await folder.writePair('client', await authority.issueIdentity(laptop));
  const next = await authority.issueIdentity(laptop);
  await writeFile(`${folder.pathOf('clientKey')}.next`, next.key, { mode: 0o600 });
  await folder.write('client', next.cert);
  expect(await tls()).toEqual({ ca: folder.pathOf('authority'), ...next });
});

test('a certificate with the key of another is refused before anything is sent, and both are named', async () => {
  await folder.writePair('client', await authority.issueIdentity(laptop));
  await folder.write('clientKey', (await authority.issueIdentity(laptop)).key);
  await expect(tls()).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    message: expect.stringContaining(
      `${folder.pathOf('client')}: it does not fit its key, ${folder.pathOf('clientKey')}`,
    ),
  });
});

test('a token file with no token in it is named as it was typed', async () => {
  const tokenFile = join(folder.path, 'tok');
  await writeFile(tokenFile, 'hello\n', { mode: 0o600 });
  await expect(connectionSecurity({ tokenFile }, terminal)).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    message: expect.stringContaining(`${tokenFile}: line 1 is no token`),
  });
});

test('a token to join with that is all a client has is refused, and told what it is for', async () => {
  const tokenFile = join(folder.path, 'tok');
  const token = formatJoinToken({ secret: newSecret(), authority: newSecret() });
  await writeFile(tokenFile, `# for rack2-b\n\n${token}\n`, { mode: 0o600 });
  const refused = (path: string) => ({
    code: 'FILE_NOT_USABLE',
    message: expect.stringMatching(
      new RegExp(
        `^${path}: it is a token to join with, .*shoal agent .*shoal certs issue NAME(?!.*shoal-join)`,
      ),
    ),
  });
  const ask = (flags: SecurityFlags, env: Record<string, string> = {}): Promise<unknown> =>
    connectionSecurity(flags, { env } as unknown as Terminal);
  const tlsDir = folder.path;
  await expect(ask({ tlsDir, tokenFile })).rejects.toMatchObject(refused(tokenFile));
  await expect(ask({ tokenFile })).rejects.toMatchObject(refused(tokenFile));
  await expect(ask({ tlsDir }, { SHOAL_TOKEN_FILE: tokenFile })).rejects.toMatchObject(refused(tokenFile));
  await expect(ask({ tlsDir }, { SHOAL_TOKEN: token })).rejects.toMatchObject(refused('SHOAL_TOKEN'));
  // As in the health check of an agent, which has joined with it.
  await folder.writePair('client', await authority.issueIdentity({ name: 'rack2-b', role: 'agent' }));
  expect(await ask({ tlsDir }, { SHOAL_TOKEN: token })).not.toHaveProperty('token');
});

test('the one token of a file is found below a comment, as those of a token file are', async () => {
  const token = formatJoinToken({ secret: newSecret(), authority: newSecret() });
  expect(await secretIn(`# for rack2-b\n${token}\n`)).toBe(token);
  await expect(secretIn(`${token}\n${token}\n`)).rejects.toMatchObject({ code: 'FILE_NOT_USABLE' });
});
