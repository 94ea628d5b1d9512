import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CertificateAuthority } from './certificate-authority.ts';
import { certificateFacts } from './certificate-facts.ts';
import { RevocationList, revocationLine } from './revocation-list.ts';
import type { CertifiedIdentity } from './role.ts';
import { TlsFolder } from './tls-folder.ts';

const ann: CertifiedIdentity = { name: 'ann', role: 'client' };
const nowMs = Date.parse('2030-01-01T00:00:00Z');
const certificate = (identity: CertifiedIdentity, validFromMs: number, serial = '4A'.repeat(16)) => ({
  identity,
  validFromMs,
  serial,
});

test('a certificate is revoked by its number, written with colons or without, in small letters or capitals', () => {
  for (const serial of ['4a'.repeat(16), '4A'.repeat(16), Array(16).fill('4a').join(':')]) {
    const list = RevocationList.parse(`# lost laptop\n\nserial ${serial} # on the train\n`);
    expect(list.has(certificate(ann, nowMs))).toBe(true);
    expect(list.has(certificate(ann, nowMs, '4B'.repeat(16)))).toBe(false);
  }
});

test('all certificates that somebody had until a time are revoked, and those that begin later are good', () => {
  const list = RevocationList.parse(revocationLine({ ...ann, untilMs: nowMs }));
  expect(list.has(certificate(ann, nowMs))).toBe(true);
  expect(list.has(certificate(ann, nowMs + 1))).toBe(false);
  expect(list.has(certificate({ name: 'ann', role: 'agent' }, nowMs))).toBe(false);
  expect(list.has(certificate({ name: 'bob', role: 'client' }, nowMs))).toBe(false);
});

test('a name is revoked in every role, unless one is named; the latest time counts', () => {
  const list = new RevocationList([
    { name: 'ann', role: undefined, untilMs: nowMs },
    { name: 'ann', role: 'client', untilMs: nowMs + 5 },
    { name: 'ann', role: undefined, untilMs: nowMs - 5 },
  ]);
  expect(list.untilMs(ann)).toBe(nowMs + 5);
  expect(list.untilMs({ name: 'ann', role: 'admin' })).toBe(nowMs);
  expect(list.size).toBe(2);
});

test.each([
  'ann',
  'serial',
  'serial xyz',
  'serial 4a4a',
  'client ann',
  'client ann yesterday',
  'boss ann 2030-01-01T00:00:00.000Z',
  'client a/b 2030-01-01T00:00:00.000Z',
  'client ann 2030-01-01T00:00:00.000Z more',
])('a line that says "%s" revokes nothing, and is named', (line) => {
  expect(() => RevocationList.parse(`# ours\n${line}\n`)).toThrow(/^line 2 revokes nothing: give serial HEX/);
});

test('a certificate that is made for a name after it was revoked is good at once, and one made before is not', async () => {
  const authority = await CertificateAuthority.create();
  const factsOf = async (afterMs: number) =>
    certificateFacts((await authority.issueIdentity(ann, { afterMs })).cert);
  const before = await factsOf(0);
  const untilMs = Math.floor(Date.now() / 1000) * 1000;
  const list = new RevocationList([{ ...ann, untilMs }]);
  const after = await factsOf(list.untilMs(ann));
  expect([list.has(before), list.has(after)]).toEqual([true, false]);
  expect(after.validFromMs).toBeLessThanOrEqual(Date.now());
});

test('a folder keeps the list, adds to what somebody wrote, and leaves alone what cannot be read', async () => {
  const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-revoked-')));
  onTestFinished(() => rm(folder.path, { recursive: true, force: true }));
  expect((await folder.revoked.list()).size).toBe(0);
  await writeFile(folder.revoked.path, `serial ${'4a'.repeat(16)}`);
  await folder.revoked.add([{ ...ann, untilMs: nowMs }]);
  expect(await readFile(folder.revoked.path, 'utf8')).toBe(
    `serial ${'4a'.repeat(16)}\nclient ann 2030-01-01T00:00:00.000Z\n`,
  );
  expect((await folder.revoked.list()).size).toBe(2);
  await writeFile(folder.revoked.path, 'client ann\n');
  for (const use of [() => folder.revoked.list(), () => folder.revoked.add([{ serial: '4A'.repeat(16) }])]) {
    await expect(use()).rejects.toMatchObject({
      code: 'FILE_NOT_USABLE',
      message: expect.stringContaining(`${folder.revoked.path}`),
    });
  }
  expect(await readFile(folder.revoked.path, 'utf8')).toBe('client ann\n');
});
