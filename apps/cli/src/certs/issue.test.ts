import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, certificateFacts, type Role, TlsFolder } from '@shoal/credentials';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { issueCert } from './issue.ts';

let root: string;
let folder: TlsFolder;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-issue-'));
  folder = await newCluster('tls');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function newCluster(name: string): Promise<TlsFolder> {
  const made = new TlsFolder(join(root, name));
  const authority = await CertificateAuthority.create();
  await made.write('authority', authority.cert);
  await made.write('authorityKey', authority.key);
  return made;
}

const issue = (name: string, role: Role = 'client', output?: string): Promise<string> =>
  issueCert({ tlsDir: folder.path, name, role, output });
const contents = async (path: string): Promise<readonly string[]> =>
  Promise.all((await readdir(path)).sort().map((name) => readFile(join(path, name), 'utf8')));

/** What is in a folder that is nobody's to write over, by what is wrong with writing there. */
const taken: readonly (readonly [why: RegExp, make: () => Promise<string>])[] = [
  [/tls belongs to whoever runs a cluster: ca\.key is in it/, async () => folder.path],
  [/other belongs to whoever runs a cluster: ca\.key/, async () => (await newCluster('other')).path],
  [
    /half belongs to whoever runs a cluster: coordinator\.crt/,
    async () => {
      const half = new TlsFolder(join(root, 'half'));
      await half.write('coordinator', 'damaged');
      return half.path;
    },
  ],
  [
    /theirs has ca\.crt of another cluster/,
    async () => {
      const theirs = new TlsFolder(join(root, 'theirs'));
      await theirs.write('authority', await (await newCluster('other')).read('authority'));
      return theirs.path;
    },
  ],
  [
    /anns has the certificate of client ann/,
    async () => {
      await issue('ann', 'client', join(root, 'anns'));
      return join(root, 'anns');
    },
  ],
  [
    /agents has the certificate of agent laptop/,
    async () => {
      await issue('laptop', 'agent', join(root, 'agents'));
      return join(root, 'agents');
    },
  ],
];

test.each(taken)('a certificate is not written over what is that of somebody else: %s', async (why, make) => {
  const output = await make();
  const before = await contents(output);
  const refused = expect(issue('laptop', 'client', output)).rejects;
  await refused.toMatchObject({ code: 'USAGE', message: expect.stringMatching(why) });
  expect(await contents(output)).toEqual(before);
});

test('the certificate that a new one replaces is told, for it stays good', async () => {
  expect(await issue('bob')).not.toMatch(/stays good/);
  const path = join(folder.path, 'issued', 'bob');
  const first = certificateFacts(await new TlsFolder(path).read('client'));
  const again = await issue('bob', 'viewer');
  expect(again).toContain(
    `The certificate of client bob that was there stays good until ${new Date(first.validToMs).toISOString().slice(0, 10)} wherever it was copied to;` +
      ` shoal certs revoke ${first.serial} --tls-dir ${folder.path} takes it back.\n`,
  );
  const second = certificateFacts(await new TlsFolder(path).read('client'));
  expect(second.identity).toEqual({ name: 'bob', role: 'viewer' });
  await folder.revoked.add([{ serial: second.serial }]);
  expect(await issue('bob'), 'one that was taken back').not.toMatch(/stays good/);
});

test('another certificate of the name that the TLS folder knows is told, for it stays good', async () => {
  await issue('bob');
  const path = join(folder.path, 'issued', 'bob', 'client.crt');
  const first = certificateFacts(await new TlsFolder(join(folder.path, 'issued', 'bob')).read('client'));
  const elsewhere = join(root, 'bobs');
  const said = new RegExp(
    `^The certificate of client bob in \\S+ stays good until .*shoal certs revoke ${first.serial} `,
    'm',
  );
  const output = await issue('bob', 'client', elsewhere);
  expect(output).toMatch(said);
  expect(output).toContain(path);
  expect(await issue('ann', 'client', join(root, 'anns')), 'another name').not.toMatch(/stays good/);
  await folder.revoked.add([{ serial: first.serial }]);
  expect(await issue('bob', 'client', join(root, 'new')), 'one that was taken back').not.toMatch(
    /stays good/,
  );
});

test('so is that of the admin whom certs init made', async () => {
  const authority = folder.authorityOf(await folder.read('authority'), await folder.read('authorityKey'));
  await folder.writePair('client', await authority.issueIdentity({ name: 'admin', role: 'admin' }));
  expect(await issue('admin', 'client')).toMatch(
    /^The certificate of admin admin in \S+tls\/client\.crt stays good/m,
  );
});

test.each([
  ['client', 'shoal map FILE --address HOST:7300 --tls-dir DIR'],
  ['admin', 'shoal map FILE --address HOST:7300 --tls-dir DIR'],
  ['viewer', 'shoal status --address HOST:7300 --tls-dir DIR'],
  ['agent', 'shoal agent --join HOST:7300 --tls-dir DIR'],
] as const)('the command that is said for the role %s is one that it may use: %s', async (role, command) => {
  const lines = (await issue('ann', role)).split('\n').filter((line) => line.startsWith('  shoal '));
  expect(lines).toEqual([expect.stringContaining(command)]);
});

test('in a folder whose certificates are empty, as a full disk leaves them, new ones are made', async () => {
  const output = join(root, 'anew');
  await issue('bob', 'client', output);
  const target = new TlsFolder(output);
  for (const file of ['authority', 'client', 'clientKey'] as const) await writeFile(target.pathOf(file), '');
  expect(await issue('bob', 'client', output)).not.toMatch(/stays good/);
  const pair = await target.findPair('client');
  expect(certificateFacts(pair?.cert ?? '').identity).toEqual({ name: 'bob', role: 'client' });
  expect(await target.read('authority')).toBe(await folder.read('authority'));
});
