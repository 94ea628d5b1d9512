/** A client that says nothing any more, as keepalive finds it, and one that is gone: how long their jobs are kept. */
import { errorFromStatus } from '@shoal/protocol';
import { afterEach, expect, test } from 'vitest';
import { FaultProxy } from '../chaos/fault-proxy.ts';
import { RawClient } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';

const cluster = new TestCluster();
const clients: RawClient[] = [];
const proxies: FaultProxy[] = [];
afterEach(async () => {
  for (const client of clients) client.close();
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  await cluster.stop();
});

interface Held {
  readonly jobId: string;
  readonly client: RawClient;
  readonly proxy: FaultProxy;
}

/** A job whose input has no end yet, or takes a while; its client reads it, over a network of its own. */
async function held(items = 0): Promise<Held> {
  const proxy = await FaultProxy.to(cluster.coordinator.address);
  proxies.push(proxy);
  const client = new RawClient(proxy.address);
  clients.push(client);
  const jobId = await client.createJob(cluster.sha256, 'slow');
  await new Promise<void>((resolve) => {
    const call = client.jobs.readResults({ jobId, fromPosition: 0, clientSession: '' });
    call.on('data', () => resolve());
    call.on('error', () => {});
  });
  const pushed = Array.from({ length: items }, (_, at) => [at, 50]);
  if (items > 0) client.push(jobId, pushed, 1).catch(() => {});
  return { jobId, client, proxy };
}

/** Why nobody knows the job any more. The question holds nothing. */
const reasonOfEnd = ({ jobId }: Held): Promise<unknown> =>
  until(
    'the job is given up',
    () =>
      new Promise<unknown>((resolve) => {
        const request = { jobId, position: 0, clientSession: '' };
        cluster.client.jobs.acknowledgeResults(request, (error) => {
          if (error === null) resolve(false);
          else resolve(errorFromStatus(error, { address: 'the coordinator' }).facts['reason']);
        });
      }),
    30_000,
  );

test('a client that keepalive finds silent has the long time of grace, at work or not; one that is gone has the short one', async () => {
  await cluster.start({
    keepaliveMs: 1_000,
    keepaliveTimeoutMs: 2_000,
    ephemeralGraceMs: 3_000,
    silentGraceMs: 4_000,
  });
  await cluster.agent({ processes: 1 });
  const [silent, busy, killed, left] = await Promise.all([held(), held(300), held(), held()]);
  // From now on nobody takes in what these two are sent, and they send nothing: not even the end of their connections.
  silent.proxy.halfOpen('server');
  busy.proxy.halfOpen('server');
  killed.proxy.reset();
  left.client.close();
  const long = 'no client was connected to it for 4 s';
  const short = 'no client was connected to it for 3 s';
  expect(await Promise.all([silent, busy, killed, left].map(reasonOfEnd))).toEqual([
    long,
    long,
    short,
    short,
  ]);
});
