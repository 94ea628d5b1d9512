import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, certificateFacts, TlsFolder } from '@shoal/credentials';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { certList, type ListedCert, listCerts } from './list.ts';

let path: string;
let folder: TlsFolder;
let authority: CertificateAuthority;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'shoal-certs-'));
  folder = new TlsFolder(path);
  authority = await CertificateAuthority.create();
  await folder.write('authority', authority.cert);
});
afterEach(() => rm(path, { recursive: true, force: true }));

const issued = async (name: string, role: 'client' | 'agent'): Promise<string> => {
  const { cert } = await authority.issueIdentity({ name, role });
  await new TlsFolder(join(path, 'issued', name)).write('client', cert);
  return certificateFacts(cert).serial;
};

test('the certificates of a folder are listed with whose they are, its own first, the others by name', async () => {
  await folder.write('coordinator', (await authority.issueCoordinator(['one', '10.0.0.5'])).cert);
  await folder.write('client', (await authority.issueIdentity({ name: 'admin', role: 'admin' })).cert);
  const serial = await issued('rack2-b', 'agent');
  await issued('ann', 'client');
  const certs = await listCerts(path);
  expect(certs.map(({ file, name, revoked, role }) => ({ file, name, role, revoked }))).toEqual([
    { file: 'ca.crt', name: '', role: 'authority', revoked: false },
    { file: 'coordinator.crt', name: 'one, 10.0.0.5', role: 'coordinator', revoked: false },
    { file: 'client.crt', name: 'admin', role: 'admin', revoked: false },
    { file: 'issued/ann/client.crt', name: 'ann', role: 'client', revoked: false },
    { file: 'issued/rack2-b/client.crt', name: 'rack2-b', role: 'agent', revoked: false },
  ]);
  expect(certs[4]).toMatchObject({
    serial,
    fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
  });
});

test('what was revoked is called so, by its number or by its name', async () => {
  const serial = await issued('ann', 'client');
  await issued('bob', 'client');
  await issued('cora', 'client');
  await folder.revoked.add([{ serial }, { name: 'bob', role: undefined, untilMs: Date.now() + 60_000 }]);
  const certs = await listCerts(path);
  expect(certs.map(({ name, revoked }) => [name, revoked])).toEqual([
    ['', false],
    ['ann', true],
    ['bob', true],
    ['cora', false],
  ]);
});

test('a folder without an authority has none to list, and a list that cannot be read is an error that names its line', async () => {
  await expect(listCerts(join(path, 'issued'))).rejects.toMatchObject({ code: 'FILE_NOT_USABLE' });
  await writeFile(folder.revoked.path, 'nonsense\n');
  await expect(listCerts(path)).rejects.toThrow(/line 1 revokes nothing/);
});

test('people see until when each is good, and what ends soon', () => {
  const dayMs = 86_400_000;
  const nowMs = Date.UTC(2030, 0, 10);
  const cert = (file: string, days: number, more: Partial<ListedCert> = {}): ListedCert => ({
    file,
    name: 'ann',
    role: 'client',
    serial: 'AB12',
    fingerprint: '',
    validFromUnixMs: 0,
    validToUnixMs: nowMs + days * dayMs,
    revoked: false,
    ...more,
  });
  const certs = [
    cert('a', 8),
    cert('b', 7),
    cert('c', 0.5),
    cert('d', 0),
    cert('e', 8, { revoked: true }),
    cert('f', 8, { validFromUnixMs: nowMs + 1 }),
  ];
  expect(certList(certs, nowMs).split('\n')).toEqual([
    'FILE  ROLE    NAME  SERIAL  UNTIL       STATE',
    'a     client  ann   AB12    2030-01-18  good',
    'b     client  ann   AB12    2030-01-17  ends in 7 days',
    'c     client  ann   AB12    2030-01-10  ends in 1 day',
    'd     client  ann   AB12    2030-01-10  expired',
    'e     client  ann   AB12    2030-01-18  revoked',
    'f     client  ann   AB12    2030-01-18  not yet good',
    '',
  ]);
});
