import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, TlsFolder } from '@shoal/credentials';
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
  await revokeCert({ tlsDir: folder.path, what: 'bob', role: undefined, nowMs: atMs });
  return (await folder.revocations()).untilMs(bob);
};

test('a name that is revoked again and again is revoked until now, so that the next certificate is good at once', async () => {
  for (let times = 0; times < 12; times += 1) expect(await revokedUntil(nowMs)).toBe(thisSecondMs);
  expect(await revokedUntil(nowMs + 1_000), 'what was made since is revoked, too').toBe(thisSecondMs + 1_000);
});

test('where the list is ahead of the clock, what was made after it is revoked', async () => {
  await folder.revoke([{ ...bob, untilMs: thisSecondMs + 60_000 }]);
  expect(await revokedUntil(nowMs)).toBe(thisSecondMs + 61_000);
});

test('a certificate for a name that is revoked until a time to come says from when it is good', async () => {
  const authority = await CertificateAuthority.create();
  await folder.write('authority', authority.cert);
  await folder.write('authorityKey', authority.key);
  const untilMs = Math.ceil(Date.now() / 1000) * 1000 + 3_600_000;
  await folder.revoke([{ ...bob, untilMs }]);
  const said = await issueCert({ tlsDir: folder.path, ...bob, output: undefined });
  expect(said).toContain(`the client bob from ${new Date(untilMs + 1_000).toISOString()} until `);
});
