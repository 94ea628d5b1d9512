import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, TlsFolder } from '@shoal/credentials';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { EventFeed } from '../watch/event-feed.ts';
import { daysLeft, ServerCertificates } from './server-certificates.ts';

const dayMs = 86_400_000;
const bounds = { maxRevocations: 10, onLimit: () => {} };

test.each([
  ['a year', 365 * dayMs, undefined],
  ['seven days', 7 * dayMs, undefined],
  ['a bit less', 7 * dayMs - 1, 6],
  ['an hour', dayMs / 24, 0],
  ['nothing', -dayMs, 0],
])('with %s left, what is warned of is %j', (_, leftMs, days) => {
  expect(daysLeft(1_000_000 + leftMs, 1_000_000)).toBe(days);
});

test.skipIf(process.platform === 'win32')(
  'a coordinator starts with no key that others can read, and goes on with the earlier one where a new one is such',
  async () => {
    const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-keys-')));
    onTestFinished(() => rm(folder.path, { recursive: true, force: true }));
    const authority = await CertificateAuthority.create();
    const { cert, key } = await authority.issueCoordinator(['localhost']);
    await folder.write('authority', authority.cert);
    await folder.write('coordinatorKey', key);
    await folder.write('coordinator', cert);
    await folder.write('clientKey', key);
    const logged: { readonly event?: string; readonly reason?: string }[] = [];
    const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) });
    const parts = {
      tlsDir: folder.path,
      checkMs: 5,
      feed: new EventFeed(log),
      onRevoked: () => 0,
      ...bounds,
    };
    const file = folder.pathOf('coordinatorKey');
    for (const each of [file, folder.pathOf('clientKey')]) {
      await chmod(each, 0o640);
      await expect(ServerCertificates.open(parts)).rejects.toMatchObject({
        code: 'FILE_NOT_USABLE',
        message: `${each}: others can read this key (mode 0640); run: chmod 600 ${each}.`,
      });
      await chmod(each, 0o600);
    }
    const certificates = await ServerCertificates.open(parts);
    onTestFinished(() => certificates.stop());
    expect(logged).toEqual([]);
    await chmod(file, 0o644);
    await vi.waitFor(() => expect(logged).toHaveLength(1), { timeout: 30_000 });
    expect(logged).toMatchObject([
      { event: 'certificate.refused', reason: expect.stringContaining(`run: chmod 600 ${file}`) },
    ]);
  },
);

test('a coordinator starts with the new pair where whoever wrote it was killed between certificate and key', async () => {
  const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-pair-')));
  onTestFinished(() => rm(folder.path, { recursive: true, force: true }));
  const authority = await CertificateAuthority.create();
  await folder.write('authority', authority.cert);
  await folder.writePair('coordinator', await authority.issueCoordinator(['localhost']));
  const next = await authority.issueCoordinator(['localhost', 'one']);
  const feed = new EventFeed(pino({ enabled: false }));
  const open = async (): Promise<void> => {
    const parts = { tlsDir: folder.path, checkMs: 60_000, feed, onRevoked: () => 0, ...bounds };
    (await ServerCertificates.open(parts)).stop();
  };
  await folder.write('coordinator', next.cert);
  await expect(open()).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    message: expect.stringMatching(
      /coordinator\.crt: it does not fit its key, .*coordinator\.key; shoal certs init makes both anew/,
    ),
  });
  await writeFile(`${folder.pathOf('coordinatorKey')}.next`, next.key, { mode: 0o600 });
  await open();
});

test('a coordinator starts with no certificate, and with no key, of another authority than that of its folder', async () => {
  const folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-other-')));
  onTestFinished(() => rm(folder.path, { recursive: true, force: true }));
  const [authority, other] = [await CertificateAuthority.create(), await CertificateAuthority.create()];
  const feed = new EventFeed(pino({ enabled: false }));
  const open = async (): Promise<void> => {
    const parts = { tlsDir: folder.path, checkMs: 60_000, feed, onRevoked: () => 0, ...bounds };
    (await ServerCertificates.open(parts)).stop();
  };
  await folder.write('authority', authority.cert);
  await folder.writePair('coordinator', await other.issueCoordinator(['localhost']));
  await expect(open()).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    facts: { path: folder.pathOf('coordinator') },
    message: expect.stringContaining(`it was not signed by ${folder.pathOf('authority')}`),
  });
  // While authorities change both may be trusted.
  await folder.write('authority', `${authority.cert}${other.cert}`);
  await open();
  await folder.write('authority', authority.cert);
  await folder.writePair('coordinator', await authority.issueCoordinator(['localhost']));
  await open();
  await folder.write('authorityKey', other.key);
  await expect(open()).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    facts: { path: folder.pathOf('authorityKey') },
  });
});
