/** Names and keys that mean something to JavaScript or to a file system are names and keys, wherever they are given. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateJobRequest,
  type CreateJobResponse,
  JobOptions,
  ListAgentsRequest,
  type ListAgentsResponse,
  type NameBundleRequest,
  type NameBundleResponse,
} from '@shoal/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RawClient, unary } from './raw-client.ts';
import { TestCluster } from './test-cluster.ts';

let cluster: TestCluster;
let folder: string;
beforeEach(() => {
  cluster = new TestCluster();
  folder = mkdtempSync(join(tmpdir(), 'shoal-names-'));
});
afterEach(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

const name = (client: RawClient, bundle: string, sha256: string): Promise<NameBundleResponse> =>
  unary<NameBundleRequest, NameBundleResponse>((request, done) => client.bundles.nameBundle(request, done), {
    name: bundle,
    version: 1,
    sha256,
  });

test.each(['__proto__', 'constructor', 'hasOwnProperty'])(
  '%s names an agent, a group, a request and a key of an item, and changes nothing else',
  async (word) => {
    await cluster.start();
    const { client, sha256 } = cluster;
    await cluster.agent({ name: word, processes: 1 });
    const setup = { group: { id: word, processes: 1 }, labels: {} };
    const jobId = await client.createJob(sha256, 'echo', setup, word);
    expect(await client.createJob(sha256, 'echo', setup, word)).toBe(jobId);
    const reading = client.read(jobId);
    await client.push(jobId, [JSON.parse(`{"${word}": {"polluted": true}}`)]);
    const { values, pids } = await reading;
    expect(JSON.stringify(values.get(0))).toBe(`{"${word}":{"polluted":true}}`);
    expect([...pids][0]).toMatch(new RegExp(`^${word} `));
    const { agents } = await unary<ListAgentsRequest, ListAgentsResponse>(
      (request, done) => client.cluster.listAgents(request, done),
      ListAgentsRequest.fromPartial({}),
    );
    expect(agents.map((agent) => agent.name)).toEqual([word]);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  },
);

test.each(['__proto__', 'a b', 'nul\0l', ''])(
  'a label cannot be called %j: neither of a job, which would run anywhere, nor of an agent',
  async (word) => {
    await cluster.start();
    const { client, sha256 } = cluster;
    const labels = JSON.parse(`{${JSON.stringify(word)}: "x"}`);
    const refused = { code: 'REQUEST_INVALID', message: expect.stringContaining('is no name of a label') };
    const value = { bundleSha256: sha256, export: 'inc' };
    const task = { name: 'inc', function: { $case: 'moduleExport' as const, value } };
    const request = {
      ...CreateJobRequest.fromPartial({ requestId: 'labelled', task }),
      options: { ...JobOptions.fromPartial({}), labels },
    };
    const created = unary<CreateJobRequest, CreateJobResponse>(
      (message, done) => client.jobs.createJob(message, done),
      request,
    );
    await expect(created).rejects.toMatchObject(refused);
    await expect(client.joinAs('labelled', labels)).rejects.toMatchObject(refused);
  },
);

test.each(['../escaped', '/etc/escaped', '__proto__', 'a/b', '..', 'nul\0l', 'x'.repeat(101)])(
  'a bundle cannot be called %j, and nothing is written beside the folder of bundles',
  async (word) => {
    const bundleDir = join(folder, 'bundles');
    await cluster.start({ bundleDir });
    const { client, sha256 } = cluster;
    await expect(name(client, word, sha256)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    expect(readdirSync(folder)).toEqual(['bundles']);
    expect(readdirSync(bundleDir)).toEqual([sha256]);
    expect(existsSync('/etc/escaped')).toBe(false);
  },
);

test.each(['../../x', 'A'.repeat(64), 'z'.repeat(64), ''])('a hash %j is none', async (sha256) => {
  await cluster.start({ bundleDir: join(folder, 'bundles') });
  const { bundles } = cluster.client;
  const put = new Promise((resolve, reject) => {
    const call = bundles.putBundle((error) => (error === null ? resolve(undefined) : reject(error)));
    call.write({ message: { $case: 'header', value: { sha256, size: 1 } } });
    call.end();
  });
  await expect(put).rejects.toMatchObject({ details: expect.stringContaining('is no SHA-256') });
  await expect(cluster.client.createJob(sha256, 'inc')).rejects.toMatchObject({ code: 'BUNDLE_NOT_FOUND' });
});
