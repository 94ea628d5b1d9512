import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, TlsFolder } from '@shoal/credentials';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectionSecurity } from './security-flags.ts';
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
