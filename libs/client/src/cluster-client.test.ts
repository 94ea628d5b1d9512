import { afterEach, beforeEach, expect, test } from 'vitest';
import { Project } from './bundle/bundle.testkit.ts';
import { ClusterClient } from './cluster-client.ts';
import { connect } from './connect.ts';
import { FakeCoordinator, until } from './fake-coordinator.testkit.ts';

let coordinator: FakeCoordinator;
beforeEach(async () => {
  coordinator = await FakeCoordinator.start();
});
afterEach(() => coordinator[Symbol.asyncDispose]());

test('the cluster, its agents and its jobs are asked for over one connection, which is closed at the end', async () => {
  {
    await using client = await ClusterClient.open(coordinator.address);
    expect(await client.status()).toMatchObject({ coordinator: coordinator.peer });
    expect(await client.agents()).toEqual([]);
    expect(await client.jobs()).toEqual([]);
    expect(coordinator.wire.connections).toBe(1);
  }
  await until('the connection is closed', () => coordinator.wire.connections === 0);
});

test('a pushed module is bundled, sent once and named', async () => {
  await using project = await Project.of({ 'work.ts': 'export const run = (n: number): number => n;' });
  await using client = await ClusterClient.open(coordinator.address);
  const named = { name: 'imaging', version: 1, module: project.url('work.ts') };
  const { sha256 } = await client.pushBundle(named);
  await client.pushBundle(named);
  expect([...coordinator.bundles.keys()]).toEqual([sha256]);
  expect(coordinator.calls.filter((call) => call === 'putBundle')).toHaveLength(1);
  expect(coordinator.calls.filter((call) => call === 'nameBundle')).toHaveLength(2);
});

test('nobody there is CANNOT_CONNECT within the time that was given', async () => {
  coordinator.wire.cut({ refuse: true });
  await expect(ClusterClient.open(coordinator.address, { connectTimeoutMs: 200 })).rejects.toMatchObject({
    code: 'CANNOT_CONNECT',
  });
});

test.each([
  [null, 'null'],
  [5, 'number'],
  [[], 'list'],
  [new Map(), 'Map'],
])('%j are no options of a connection, nor of a pool', async (given, kind) => {
  const options = given as unknown as object;
  const refused = (open: Promise<unknown>) => expect(open).rejects;
  await refused(ClusterClient.open(coordinator.address, options)).toThrow(
    new TypeError(`Options of a connection have to be an object, not ${kind}.`),
  );
  await refused(connect(coordinator.address, options)).toThrow(
    new TypeError(`connect() options have to be an object, not ${kind}.`),
  );
});
