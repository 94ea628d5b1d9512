import { X509Certificate } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, TlsFolder } from '@shoal/credentials';
import { expect, onTestFinished, test } from 'vitest';
import { initCerts } from './init.ts';

test('a certificate that is made again is for each address once, however it is written', async () => {
  const tlsDir = await mkdtemp(join(tmpdir(), 'shoal-init-'));
  onTestFinished(() => rm(tlsDir, { recursive: true, force: true }));
  const namesOf = async (): Promise<string[]> => {
    const pem = await new TlsFolder(tlsDir).read('coordinator');
    return (new X509Certificate(pem).subjectAltName ?? '').split(', ').sort();
  };
  await initCerts({ tlsDir, hosts: ['fd00::2', 'FD00:0:0:0:0:0:0:2', '::ffff:10.0.0.5', 'one.example'] });
  const first = await namesOf();
  expect(first.filter((name) => name === 'IP Address:FD00:0:0:0:0:0:0:2')).toHaveLength(1);
  expect(new Set(first).size).toBe(first.length);
  const said = await initCerts({ tlsDir, hosts: [] });
  expect(await namesOf()).toEqual(first);
  expect(said).toMatch(/ ::1,.* fd00::2,.* one\.example\n/);
});

test('certificates that are empty, as a full disk leaves them, are made anew, and names that are lost are asked for', async () => {
  const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-init-')));
  onTestFinished(() => rm(folder.path, { recursive: true, force: true }));
  const init = (): Promise<string> => initCerts({ tlsDir: folder.path, hosts: [] });
  expect(await init()).not.toContain('--name');
  for (const file of ['coordinator', 'client'] as const) await writeFile(folder.pathOf(file), '');
  expect(await init()).toContain(
    `${folder.pathOf('coordinator')} was no certificate: names that it had beside those must be given again, with --name`,
  );
  for (const of of ['coordinator', 'client'] as const)
    expect(await folder.findPair(of)).toMatchObject({ isInterrupted: false });
});

test('an address with a port is refused before anything is made, and one that an earlier release took is left out', async () => {
  const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-init-')));
  onTestFinished(() => rm(folder.path, { recursive: true, force: true }));
  const init = (...hosts: string[]): Promise<string> => initCerts({ tlsDir: folder.path, hosts });
  await expect(init('10.0.0.5:7300')).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('--name 10.0.0.5:7300 is no host name or address'),
  });
  expect(await folder.find('authority')).toBeUndefined();
  await init();
  const authority = new CertificateAuthority(
    await folder.read('authority'),
    await folder.read('authorityKey'),
  );
  await folder.writePair('coordinator', await authority.issueCoordinator(['10.0.0.5:7300', 'one.example']));
  expect(await init()).toMatch(/ reached as (?!.*10\.0\.0\.5:7300).*, one\.example\n/);
});

test('certificates that end with their authority are said to, and what helps', async () => {
  const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-init-')));
  onTestFinished(() => rm(folder.path, { recursive: true, force: true }));
  const lesson = 'not longer, for the authority itself ends then: before that, make a new one';
  const authority = await CertificateAuthority.create(Date.now() - 3_647 * 86_400_000);
  await folder.write('authorityKey', authority.key);
  await folder.write('authority', authority.cert);
  expect(await initCerts({ tlsDir: folder.path, hosts: [] })).toContain(lesson);
  await rm(folder.path, { recursive: true });
  expect(await initCerts({ tlsDir: folder.path, hosts: [] })).not.toContain(lesson);
});

test('the key of an authority whose certificate is gone is not written over, and what helps is said', async () => {
  const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-init-')));
  onTestFinished(() => rm(folder.path, { recursive: true, force: true }));
  const init = (): Promise<string> => initCerts({ tlsDir: folder.path, hosts: [] });
  await init();
  const [cert, key] = [await folder.read('authority'), await folder.read('authorityKey')];
  await rm(folder.pathOf('authority'));
  await expect(init()).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(/has the key of an authority \(ca\.key\).*Copy ca\.crt.*an empty folder/),
  });
  expect(await folder.read('authorityKey')).toBe(key);
  expect(await folder.find('authority')).toBeUndefined();
  await folder.write('authority', cert);
  expect(await init()).toContain('the authority that was there');
});

test('a first run that was interrupted is done again, or to its end', async () => {
  const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-init-')));
  onTestFinished(() => rm(folder.path, { recursive: true, force: true }));
  const init = (): Promise<string> => initCerts({ tlsDir: folder.path, hosts: [] });
  const next = `${folder.pathOf('authorityKey')}.next`;
  // Before its certificate was written: nobody has seen the key.
  const { key: unused } = await CertificateAuthority.create();
  await writeFile(next, unused, { mode: 0o600 });
  await init();
  const key = await folder.read('authorityKey');
  expect(key).not.toBe(unused);
  // Before its key was put in its place.
  await rename(folder.pathOf('authorityKey'), next);
  expect(await init()).toContain('the authority that was there');
  expect(await folder.read('authorityKey')).toBe(key);
});
