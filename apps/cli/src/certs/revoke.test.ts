import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, certificateFacts, TlsFolder } from '@shoal/credentials';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { issueCert } from './issue.ts';
import { revokeCert } from './revoke.ts';

const nowMs = Date.parse('2030-01-01T12:00:00.700Z');
const thisSecondMs = nowMs - 700;
const bob = { name: 'bob', role: 'client' } as const;
let folder: TlsFolder;
beforeEach(async () => {
  folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-revoke-')));
  await folder.write('authority', (await CertificateAuthority.create()).cert);
});
afterEach(() => rm(folder.path, { recursive: true, force: true }));

const revokedUntil = async (atMs: number): Promise<number> => {
  await revokeCert({ tlsDir: folder.path, what: 'bob', role: undefined, nowMs: atMs, maxRevocations: 100 });
  return (await folder.revoked.list()).untilMs(bob);
};

test('a name that is revoked again and again is revoked until now, so that the next certificate is good at once', async () => {
  for (let times = 0; times < 12; times += 1) expect(await revokedUntil(nowMs)).toBe(thisSecondMs);
  expect(await revokedUntil(nowMs + 1_000), 'what was made since is revoked, too').toBe(thisSecondMs + 1_000);
});

test('where the list is ahead of the clock, what was made after it is revoked', async () => {
  await folder.revoked.add([{ ...bob, untilMs: thisSecondMs + 60_000 }]);
  expect(await revokedUntil(nowMs)).toBe(thisSecondMs + 61_000);
});

test('a certificate for a name that is revoked until a time to come says from when it is good', async () => {
  const authority = await CertificateAuthority.create();
  await folder.write('authority', authority.cert);
  await folder.write('authorityKey', authority.key);
  const untilMs = Math.ceil(Date.now() / 1000) * 1000 + 3_600_000;
  await folder.revoked.add([{ ...bob, untilMs }]);
  const said = await issueCert({ tlsDir: folder.path, ...bob, output: undefined });
  expect(said).toContain(`the client bob from ${new Date(untilMs + 1_000).toISOString()} until `);
});

const revoke = (what: string, role?: 'client' | 'agent' | 'viewer'): Promise<string> =>
  revokeCert({ tlsDir: folder.path, what, role, nowMs, maxRevocations: 100 });
const lines = async (): Promise<string[]> => ((await folder.revoked.text()) ?? '').split('\n').slice(0, -1);

async function issued(): Promise<{ readonly coordinator: string; readonly bob: string }> {
  const authority = await CertificateAuthority.create();
  await folder.write('authority', authority.cert);
  await folder.write('authorityKey', authority.key);
  await folder.writePair('coordinator', await authority.issueCoordinator(['one']));
  await issueCert({ tlsDir: folder.path, ...bob, output: undefined });
  const serialOf = async (of: TlsFolder, file: 'coordinator' | 'client'): Promise<string> =>
    certificateFacts(await of.read(file)).serial;
  return {
    coordinator: await serialOf(folder, 'coordinator'),
    bob: await serialOf(new TlsFolder(join(folder.path, 'issued', 'bob')), 'client'),
  };
}

test('whoever revokes a name or a number that is not in the folder hears of it', async () => {
  const serials = await issued();
  const unknown = /No certificate of that (name|number) is in .*shoal agents ls/s;
  for (const what of ['bbo', 'coordinator', 'one', '4A'.repeat(16)])
    expect(await revoke(what), what).toMatch(unknown);
  expect(await revoke('bob', 'agent'), 'it is a client').toMatch(unknown);
  for (const what of ['bob', serials.bob]) expect(await revoke(what), what).not.toMatch(unknown);
  // Whom a file that is damaged was of is not known, and nobody is kept from being shut out.
  await new TlsFolder(join(folder.path, 'issued', 'bob')).write('client', 'damaged');
  expect(await revoke('ann')).toMatch(/ann so far are revoked\n(?!No certificate)/);
});

test('a coordinator and an authority cannot be revoked, and what helps is said', async () => {
  const { coordinator } = await issued();
  const authority = certificateFacts(await folder.read('authority')).serial;
  for (const [serial, file] of [
    [coordinator, 'coordinator.crt'],
    [authority, 'ca.crt'],
  ] as const) {
    await expect(revoke(serial)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(new RegExp(`number of ${file}, which cannot be revoked.*new authority`)),
    });
  }
  expect(await lines()).toEqual([]);
});

test('a serial number is one line, however it is written, and has no role; with one it is a name', async () => {
  const { bob: serial } = await issued();
  const withColons = serial.toLowerCase().replace(/..(?=.)/g, '$&:');
  await expect(revoke(withColons, 'viewer')).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('issued/bob/client.crt, and --role goes with a name'),
  });
  await revoke(withColons);
  expect(await revoke(serial)).toContain('is revoked, as before');
  expect(await lines()).toEqual([`serial ${serial}`]);
  const hexName = 'deadbeefdeadbeef';
  await revoke(hexName, 'agent');
  expect((await lines())[1]).toBe(`agent ${hexName} ${new Date(thisSecondMs).toISOString()}`);
});

test('a line that changes nothing is not written again', async () => {
  for (let times = 0; times < 3; times += 1) await revoke('bob');
  expect(await lines()).toHaveLength(1);
  await revoke('bob', 'client');
  expect(await lines(), 'all of that name are revoked until then').toHaveLength(1);
  await revoke('ann', 'client');
  await revoke('ann');
  expect(await lines(), 'in other roles they were not').toHaveLength(3);
});

test('no more is put on the list than its coordinator takes, which would go on with the list that it had', async () => {
  await folder.revoked.add(
    Array.from({ length: 98 }, (_, at) => ({ name: `name-${at + 1}`, role: undefined, untilMs: nowMs })),
  );
  await revoke('name-99');
  expect(await revoke('name-100'), 'the last one').toContain('name-100 so far are revoked');
  await expect(revoke('name-101')).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    message: expect.stringMatching(
      /revoked\.txt: it has 101 entries, and may have 100 \(--max-revocations here, and of shoal coordinator\); take out/,
    ),
  });
  expect(await lines()).toHaveLength(100);
  expect(await revoke('name-100'), 'one that is there already takes no place').toContain('as before');
});
