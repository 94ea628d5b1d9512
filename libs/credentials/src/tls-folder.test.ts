import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CertificateAuthority, type CertifiedKey } from './certificate-authority.ts';
import { TlsFolder } from './tls-folder.ts';
import { readTokenFile } from './token-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tls-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

test('keys are written for their owner alone, certificates for all', async () => {
  const tls = new TlsFolder(join(folder, 'new'));
  const { cert, key } = await CertificateAuthority.create();
  await tls.write('authority', cert);
  await tls.write('authorityKey', key);
  expect(await modeOf(tls.path)).toBe('700');
  expect(await modeOf(tls.pathOf('authorityKey'))).toBe('600');
  expect(await modeOf(tls.pathOf('authority'))).toBe('644');
  expect(await tls.read('authority')).toBe(cert);
});

describe.each(['client', 'coordinator'] as const)(
  'the certificate %s that is replaced with its key',
  (of) => {
    const keyFile = `${of}Key` as const;
    const pair = async (): Promise<CertifiedKey> => {
      const authority = await CertificateAuthority.create();
      return of === 'client'
        ? authority.issueIdentity({ name: 'a', role: 'agent' })
        : authority.issueCoordinator(['localhost']);
    };
    const whole = { isInterrupted: false };

    test('leaves nothing but the new ones', async () => {
      const tls = new TlsFolder(folder);
      expect(await tls.findPair(of)).toBeUndefined();
      await tls.writePair(of, await pair());
      const next = await pair();
      await tls.writePair(of, next);
      expect(await tls.findPair(of)).toEqual({ ...next, ...whole });
      expect(await readFile(tls.pathOf(keyFile), 'utf8')).toBe(next.key);
      expect(await modeOf(tls.pathOf(keyFile))).toBe('600');
      expect((await readdir(folder)).toSorted()).toEqual([`${of}.crt`, `${of}.key`]);
    });

    test('is one of both pairs, wherever it was interrupted, and so is the one after it', async () => {
      const tls = new TlsFolder(folder);
      const [old, next, last] = [await pair(), await pair(), await pair()];
      await tls.writePair(of, old);
      await writeFile(`${tls.pathOf(keyFile)}.next`, next.key, { mode: 0o600 });
      expect(await tls.findPair(of), 'the next key lies there').toEqual({ ...old, ...whole });
      await tls.write(of, next.cert);
      expect(await tls.findPair(of), 'and its certificate').toEqual({ ...next, isInterrupted: true });
      // One more that cannot write its certificate.
      await expect(tls.writePair(of, { key: last.key, cert: undefined as never })).rejects.toThrow();
      expect(await tls.findPair(of), 'after another interruption').toEqual({ ...next, ...whole });
      await tls.writePair(of, last);
      expect(await tls.findPair(of)).toEqual({ ...last, ...whole });
    });

    test.each(['', 'damaged'])('is made anew where what is there is none ("%s")', async (damaged) => {
      const tls = new TlsFolder(folder);
      await writeFile(tls.pathOf(of), damaged);
      await writeFile(tls.pathOf(keyFile), damaged, { mode: 0o600 });
      const next = await pair();
      await tls.writePair(of, next);
      expect(await tls.findPair(of)).toEqual({ ...next, ...whole });
    });

    test('has its place reserved before it is there, and what was there stays in use', async () => {
      const tls = new TlsFolder(folder);
      const [old, next] = [await pair(), await pair()];
      await tls.writePair(of, old);
      await tls.reserve(of, next.key);
      expect(await tls.findPair(of)).toEqual({ ...old, ...whole });
      await tls.unreserve(of);
      expect((await readdir(folder)).toSorted()).toEqual([`${of}.crt`, `${of}.key`]);
      await tls.reserve(of, next.key);
      await tls.write(of, next.cert);
      await tls.unreserve(of);
      expect(await tls.findPair(of), 'the key of the new certificate').toEqual({
        ...next,
        isInterrupted: true,
      });
    });

    test('leaves the key that its place was reserved for to whoever asks for it again, and no other', async () => {
      const tls = new TlsFolder(folder);
      const [old, next] = [await pair(), await pair()];
      await tls.writePair(of, old);
      expect(await tls.reserved(of)).toBe(undefined);
      await tls.reserve(of, next.key);
      expect(await tls.reserved(of)).toBe(next.key);
      await tls.reserve(of, next.key.slice(0, 60));
      expect(await tls.reserved(of), 'half a key').toBe(undefined);
      await tls.reserve(of, next.key);
      await tls.write(of, next.cert);
      expect(await tls.reserved(of), 'the key of a certificate that came').toBe(undefined);
    });

    test('is refused with a key of another, and both files are named', async () => {
      const tls = new TlsFolder(folder);
      await tls.writePair(of, await pair());
      await tls.write(keyFile, (await pair()).key);
      await expect(tls.findPair(of)).rejects.toMatchObject({
        code: 'FILE_NOT_USABLE',
        message: expect.stringContaining(
          `${tls.pathOf(of)}: it does not fit its key, ${tls.pathOf(keyFile)}; `,
        ),
      });
    });
  },
);

test('what several revoke at once is all on the list', async () => {
  const tls = new TlsFolder(folder);
  const names = Array.from({ length: 20 }, (_, at) => `client-${at}`);
  await Promise.all(names.map((name) => tls.revoked.add([{ name, role: 'client', untilMs: 1_000 }])));
  const list = await tls.revoked.list();
  expect(names.filter((name) => list.untilMs({ name, role: 'client' }) !== 1_000)).toEqual([]);
});

test('a list that cannot be written is named', async () => {
  const tls = new TlsFolder(join(folder, 'nowhere'));
  await expect(tls.revoked.add([{ name: 'laptop', role: 'client', untilMs: 1_000 }])).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    facts: { path: tls.revoked.path },
  });
});

test('a folder that cannot be made is named', async () => {
  await writeFile(join(folder, 'file'), '');
  const tls = new TlsFolder(join(folder, 'file', 'tls'));
  await expect(tls.write('authority', '')).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    message: `${tls.pathOf('authority')}: it cannot be written (ENOTDIR).`,
  });
  await expect(tls.reserve('client', '')).rejects.toMatchObject({ code: 'FILE_NOT_USABLE' });
});

test('a missing file is told with what makes it, and may be missing where that is asked', async () => {
  const tls = new TlsFolder(folder);
  await expect(tls.read('coordinator')).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    message: `${join(folder, 'coordinator.crt')}: it does not exist; shoal certs init makes it.`,
  });
  // There is one: certs init makes no other where ca.crt is.
  await expect(tls.read('authorityKey')).rejects.toMatchObject({
    message: expect.stringMatching(/ca\.key: it does not exist; it lies where shoal certs init made ca\.crt/),
  });
  expect(await tls.find('client')).toBeUndefined();
});

test('ca.crt that is missing or damaged beside ca.key is looked for elsewhere, for this is the folder where it was made', async () => {
  const tls = new TlsFolder(folder);
  await tls.write('authorityKey', (await CertificateAuthority.create()).key);
  const hint =
    'copy it from the folder of any agent or client of this cluster, or make a new authority in an empty folder: shoal certs init';
  const path = tls.pathOf('authority');
  await expect(tls.read('authority')).rejects.toMatchObject({
    message: `${path}: it does not exist; ${hint}.`,
  });
  await writeFile(path, '');
  const damaged = { message: `${path}: there is no certificate (PEM) in it; ${hint}.` };
  await expect(tls.read('authority')).rejects.toMatchObject(damaged);
  await rm(tls.pathOf('authorityKey'));
  await expect(tls.read('authority'), 'where it was copied to').rejects.toMatchObject({
    message: expect.stringContaining('copy it from the folder where shoal certs init made it'),
  });
});

test('a file that is no PEM is refused when it is read, not at the first handshake', async () => {
  const tls = new TlsFolder(folder);
  await writeFile(tls.pathOf('client'), 'nonsense');
  await writeFile(tls.pathOf('clientKey'), 'nonsense', { mode: 0o600 });
  await expect(tls.find('client')).rejects.toThrow(/no certificate/);
  await expect(tls.find('clientKey')).rejects.toThrow(/no private key/);
});

test.skipIf(process.platform === 'win32').each(['authorityKey', 'coordinatorKey', 'clientKey'] as const)(
  'a key that others can read is refused, with the way out: %s',
  async (file) => {
    const tls = new TlsFolder(folder);
    const { key } = await CertificateAuthority.create();
    await tls.write(file, key);
    await tls.checkKeys();
    expect(await tls.find(file)).toBe(key);
    await chmod(tls.pathOf(file), 0o640);
    const path = tls.pathOf(file);
    const refused = {
      code: 'FILE_NOT_USABLE',
      message: `${path}: others can read this key (mode 0640); run: chmod 600 ${path}.`,
    };
    await expect(tls.find(file)).rejects.toMatchObject(refused);
    await expect(tls.checkKeys()).rejects.toMatchObject(refused);
  },
);

test.skipIf(process.platform === 'win32')(
  'a token that others can read is refused, with the way out',
  async () => {
    const path = join(folder, 'token');
    await writeFile(path, 'secret\n', { mode: 0o640 });
    await expect(readTokenFile(path)).rejects.toMatchObject({
      code: 'FILE_NOT_USABLE',
      message: `${path}: others can read this token (mode 0640); run: chmod 600 ${path}.`,
    });
    await writeFile(join(folder, 'mine'), 'secret\n', { mode: 0o600 });
    expect(await readTokenFile(join(folder, 'mine'))).toBe('secret\n');
  },
);
