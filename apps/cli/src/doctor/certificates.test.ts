import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, type CertifiedKey, type Role, TlsFolder } from '@shoal/credentials';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { certificateFindings } from './certificates.ts';

const dayMs = 86_400_000;
let folder: TlsFolder;
beforeEach(async () => {
  folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-doctor-')));
});
afterEach(() => rm(folder.path, { recursive: true, force: true }));

test.each([
  ['eight days, is good', 30, 22, 'ok', /^good until/],
  ['a bit less than seven days, is warned of', 30, 23.1, 'warning', /^it expires in .*shoal certs issue/],
  ['half a day of one, is renewed by its agent', 1, 0.5, 'ok', /^good until/],
  ['no time, is broken', 30, 31, 'broken', /^it expired on .*shoal certs issue/],
] as const)('a certificate that has %s', async (_, livesDays, atDay, state, says) => {
  const nowMs = Date.now();
  const authority = await CertificateAuthority.create();
  const validity = { nowMs: nowMs - atDay * dayMs, lifetimeMs: livesDays * dayMs };
  const { cert } = await authority.issueIdentity({ name: 'laptop', role: 'client' }, validity);
  await folder.write('authority', authority.cert);
  await folder.write('client', cert);
  const found = await certificateFindings(folder.path, nowMs);
  expect(found).toMatchObject([{ state: 'ok' }, { state, says: expect.stringMatching(says) }]);
});

describe('of one that has expired is told what its holder can do, or whom he asks', () => {
  const expired = { nowMs: Date.now() - 2 * dayMs, lifetimeMs: dayMs };
  const saysOf = async (where: TlsFolder, role: Role, file: 'client' | 'coordinator' = 'client') => {
    const authority = await CertificateAuthority.create();
    const { cert } =
      file === 'client'
        ? await authority.issueIdentity({ name: 'rack2-b', role }, expired)
        : await authority.issueCoordinator(['one'], expired);
    await where.write('authority', authority.cert);
    await where.write(file, cert);
    return (await certificateFindings(where.path, Date.now())).at(-1)?.says;
  };

  test.each([
    ['client', / ask whoever runs the cluster for another: shoal certs issue rack2-b --role client$/],
    ['viewer', / ask whoever runs the cluster for another: shoal certs issue rack2-b --role viewer$/],
    ['admin', / ask whoever runs the cluster for another: shoal certs issue rack2-b --role admin$/],
    [
      'agent',
      /\(shoal token create --name rack2-b\), or for another: shoal certs issue rack2-b --role agent$/,
    ],
  ] as const)('on a machine without the key of the authority, by the role %s', async (role, says) => {
    expect(await saysOf(folder, role)).toMatch(says);
  });

  test('where the key of the authority lies, by the admin and by whoever made it for another', async () => {
    await writeFile(folder.pathOf('authorityKey'), 'key', { mode: 0o600 });
    const issued = new TlsFolder(join(folder.path, 'issued', 'rack2-b'));
    expect(await saysOf(issued, 'client')).toContain(
      `; run shoal certs issue rack2-b --role client --tls-dir ${folder.path}, and copy the folder`,
    );
    await rm(folder.pathOf('authorityKey'));
    expect(await saysOf(issued, 'client')).toContain('; ask whoever runs the cluster');
    await writeFile(folder.pathOf('authorityKey'), (await CertificateAuthority.create()).key, {
      mode: 0o600,
    });
    expect(await saysOf(folder, 'admin')).toContain(`; run shoal certs init --tls-dir ${folder.path}`);
  });

  test('by the coordinator, which has no key of the authority', async () => {
    expect(await saysOf(folder, 'client', 'coordinator')).toContain(
      '; run shoal certs init where ca.key lies',
    );
  });
});

test('a certificate beside the key of another is broken, and told by both names', async () => {
  const authority = await CertificateAuthority.create();
  await folder.write('authority', authority.cert);
  await folder.write('authorityKey', (await CertificateAuthority.create()).key);
  const identity = { name: 'laptop', role: 'client' } as const;
  await folder.write('client', (await authority.issueIdentity(identity)).cert);
  await folder.write('clientKey', (await authority.issueIdentity(identity)).key);
  await folder.write('coordinator', (await authority.issueCoordinator(['one'])).cert);
  await folder.write('coordinatorKey', (await authority.issueCoordinator(['one'])).key);
  const mixed = (file: 'coordinator' | 'client') => ({
    what: folder.pathOf(file),
    state: 'broken',
    says: expect.stringContaining(`it does not fit its key, ${folder.pathOf(`${file}Key`)}; `),
  });
  expect(await certificateFindings(folder.path, Date.now())).toEqual([
    {
      what: folder.pathOf('authority'),
      state: 'broken',
      says: expect.stringContaining('is not the key of ca.crt'),
    },
    mixed('coordinator'),
    mixed('client'),
  ]);
});

test('a pair whose key is still on its way is found as an agent finds it', async () => {
  const authority = await CertificateAuthority.create();
  const [before, next] = await Promise.all(
    [1, 2].map(() => authority.issueIdentity({ name: 'rack2-b', role: 'agent' })),
  );
  await folder.write('authority', authority.cert);
  await folder.writePair('client', before as CertifiedKey);
  // As whoever renews it leaves it when killed between the two.
  await folder.write('client', next?.cert ?? '');
  await writeFile(`${folder.pathOf('clientKey')}.next`, next?.key ?? '', { mode: 0o600 });
  expect(await certificateFindings(folder.path, Date.now())).toMatchObject([
    { state: 'ok' },
    { state: 'ok' },
  ]);
});

test('a folder without certificates is told what makes them', async () => {
  expect(await certificateFindings(folder.path, 0)).toMatchObject([
    { state: 'broken', says: expect.stringContaining('shoal certs init') },
  ]);
});

test.skipIf(process.platform === 'win32')(
  'a key that others can read is broken, and told with the remedy',
  async () => {
    const authority = await CertificateAuthority.create();
    await folder.write('authority', authority.cert);
    await folder.write('authorityKey', authority.key);
    expect(await certificateFindings(folder.path, Date.now())).toHaveLength(1);
    const path = folder.pathOf('authorityKey');
    await chmod(path, 0o644);
    expect((await certificateFindings(folder.path, Date.now()))[1]).toEqual({
      what: path,
      state: 'broken',
      says: `others can read this key (mode 0644); run: chmod 600 ${path}`,
    });
  },
);

test('a certificate that the authority beside it has not signed is broken', async () => {
  const [authority, other] = [await CertificateAuthority.create(), await CertificateAuthority.create()];
  await folder.write('authority', authority.cert);
  await folder.writePair('coordinator', await other.issueCoordinator(['one']));
  await folder.writePair('client', await other.issueIdentity({ name: 'laptop', role: 'client' }));
  const foreign = (file: 'coordinator' | 'client') => ({
    what: folder.pathOf(file),
    state: 'broken',
    says: expect.stringContaining(`it was not signed by ${folder.pathOf('authority')}`),
  });
  expect(await certificateFindings(folder.path, Date.now())).toMatchObject([
    { state: 'ok' },
    foreign('coordinator'),
    foreign('client'),
  ]);
});

test('a certificate on the list of those that are good no more beside it is broken, and one that was made later is not', async () => {
  const authority = await CertificateAuthority.create();
  const identity = { name: 'laptop', role: 'client' } as const;
  await folder.write('authority', authority.cert);
  await folder.writePair('client', await authority.issueIdentity(identity));
  const ofClient = async () => (await certificateFindings(folder.path, Date.now())).at(-1);
  const others = { name: 'phone', role: undefined, untilMs: Date.now() };
  await folder.revoked.add([others]);
  expect(await ofClient()).toMatchObject({ what: folder.pathOf('client'), state: 'ok' });
  await folder.revoked.add([{ ...others, name: 'laptop' }]);
  const issued =
    /^it was revoked \(.*revoked\.txt\), and is turned away; ask whoever runs the cluster for another: shoal certs issue laptop --role client$/;
  expect(await ofClient()).toEqual({
    what: folder.pathOf('client'),
    state: 'broken',
    says: expect.stringMatching(issued),
  });
  await folder.write('authorityKey', authority.key);
  expect(await ofClient(), 'that of whoever ran certs init').toMatchObject({
    says: expect.stringMatching(/run shoal certs init --tls-dir \S+$/),
  });
  const afterMs = (await folder.revoked.list()).untilMs(identity);
  await folder.writePair('client', await authority.issueIdentity(identity, { afterMs }));
  expect(await certificateFindings(folder.path, Date.now() + 2_000)).toMatchObject([
    { state: 'ok' },
    { state: 'ok' },
  ]);
});

test('a list of what was revoked that cannot be read is broken, and the certificates are told all the same', async () => {
  const authority = await CertificateAuthority.create();
  await folder.write('authority', authority.cert);
  await folder.writePair('client', await authority.issueIdentity({ name: 'laptop', role: 'client' }));
  await writeFile(folder.revoked.path, 'nonsense\n');
  expect(await certificateFindings(folder.path, Date.now())).toMatchObject([
    { state: 'ok' },
    { state: 'ok' },
    {
      what: folder.revoked.path,
      state: 'broken',
      says: expect.stringContaining('line 1 revokes nothing'),
    },
  ]);
});
