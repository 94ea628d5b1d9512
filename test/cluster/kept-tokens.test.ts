/** What a coordinator keeps of a token to join with: its digest. Looked for in its whole memory and in its files. */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCertificateRequest, digestOf, parseJoinToken } from '@shoal/credentials';
import {
  type CreateJoinTokenRequest,
  type CreateJoinTokenResponse,
  DialCredentials,
  type JoinClusterRequest,
  type JoinClusterResponse,
} from '@shoal/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { Service } from '../chaos/service.ts';
import { RawClient, unary } from './raw-client.ts';
import { until } from './test-cluster.ts';
import { TlsFiles } from './tls-files.testkit.ts';

/** All strings in the memory of a coordinator, as V8 writes them down: all objects that are alive, and nothing that was. */
async function memoryOf(coordinator: Service, folder: string): Promise<string> {
  coordinator.signal('SIGUSR2');
  return await until(
    'its memory is written down',
    async () => {
      const [file] = globSync(join(folder, '*.heapsnapshot'));
      return file === undefined ? '' : await readFile(file, 'latin1');
    },
    // What ends in the middle is being written.
    (text) => text.trimEnd().endsWith('}'),
  );
}

test('a coordinator keeps the digest of a token to join with, and the token nowhere: neither in its memory nor in a file', async () => {
  const files = await TlsFiles.make();
  onTestFinished(() => files.remove());
  const { path: folder } = files.folder;
  const coordinator = Service.start({
    args: [
      'coordinator',
      '--listen',
      '127.0.0.1:0',
      '--tls-dir',
      folder,
      '--spill-dir',
      join(folder, 'spill'),
    ],
    env: { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}` },
  });
  onTestFinished(() => coordinator.kill());
  const address = String((await coordinator.event('coordinator.started', 60_000))['address']);
  const boss = await files.identity({ name: 'boss', role: 'admin' });
  const admin = new RawClient(address, new DialCredentials({ tls: () => boss }));
  const stranger = new RawClient(address, new DialCredentials({ tls: () => ({ ca: files.authority.cert }) }));
  const create = async (): Promise<string> => {
    const { token } = await unary<CreateJoinTokenRequest, CreateJoinTokenResponse>(
      (request, done) => admin.access.createJoinToken(request, done),
      { role: 'agent', name: '', ttlMs: 600_000 },
    );
    return parseJoinToken(token)?.secret ?? '';
  };
  const [open, used] = [await create(), await create()];
  const { request: certificateRequest } = await createCertificateRequest();
  await unary<JoinClusterRequest, JoinClusterResponse>(
    (request, done) => stranger.access.joinCluster(request, done),
    { secret: used, name: 'one', certificateRequest },
  );
  admin.close();
  stranger.close();

  const memory = await memoryOf(coordinator, folder);
  for (const secret of [open, used]) {
    expect(secret).toHaveLength(43);
    // It is what the coordinator knows them by: a memory in which it cannot be found would show nothing.
    expect(memory.includes(digestOf(secret).toString('base64url')), 'its digest is there').toBe(true);
    expect(memory.includes(secret), 'it is there itself').toBe(false);
  }
  for (const file of globSync('**', { cwd: folder, withFileTypes: true })) {
    if (!file.isFile() || file.name.endsWith('.heapsnapshot')) continue;
    const text = await readFile(join(file.parentPath, file.name), 'latin1');
    expect(
      [open, used].filter((secret) => text.includes(secret)),
      file.name,
    ).toEqual([]);
  }
});
