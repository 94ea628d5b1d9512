/** An agent that reports what cannot be, in frames that are well-formed. */
import { once } from 'node:events';
import type { ServiceError } from '@grpc/grpc-js';
import type { ShoalError } from '@shoal/errors';
import {
  AttemptReport,
  type Dispatch,
  errorFromStatus,
  FailureKind,
  MapRequest,
  type MapResponse,
} from '@shoal/protocol';
import { connect, type ItemError } from 'shoal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { joinRaw } from './raw-agent.ts';
import { unary } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start();
});
afterEach(() => cluster.stop());

const most = 2 ** 32 - 1;

/** What it answers to the first work that it gets. */
type Lie = (given: Dispatch) => AttemptReport;

/** Joins, takes work, lies. Resolves with the errors that both of its streams end with. */
function liar(agentName: string, lie: Lie): Promise<ShoalError[]> {
  const { control, data } = joinRaw(cluster.client.agents, agentName, (given) => {
    // The lie, and behind it in the same message what would be true.
    const value = { first: given.first, count: given.count, payload: Buffer.alloc(9), runMs: 1, pid: 7 };
    return [lie(given), AttemptReport.fromPartial({ attempt: given.attempt, runs: [value] })];
  });
  const ended = [control, data].map(
    (call) =>
      new Promise<ShoalError>((resolve, reject) => {
        call.on('error', (error: ServiceError) =>
          resolve(errorFromStatus(error, { address: 'the coordinator' })),
        );
        call.on('end', () => reject(new Error('the stream ended without an error')));
      }),
  );
  return Promise.all(ended);
}

const payload = Buffer.from('believe me');
const values = (attempt: number, first: number, count: number, bytes = payload): AttemptReport =>
  AttemptReport.fromPartial({ attempt, runs: [{ first, count, payload: bytes }] });
const lies: Readonly<Record<string, Lie>> = {
  'four-billion': ({ attempt, first }) => values(attempt, first, most),
  'fifty-million-in-ten-bytes': ({ attempt, first }) => values(attempt, first, 50_000_000),
  'two-in-one-byte': ({ attempt, first, count }) => values(attempt, first, count, payload.subarray(0, 1)),
  elsewhere: ({ attempt, first, count }) => values(attempt, first + count, 1),
  'foreign-failure': ({ attempt, first, count }) =>
    AttemptReport.fromPartial({
      attempt,
      failures: [{ index: first + count, kind: FailureKind.THROWN, code: 'ITEM_THREW' }],
    }),
  'everybody-suspect': ({ attempt }) => {
    const suspects = [{ first: 0, count: Number.MAX_SAFE_INTEGER }];
    return AttemptReport.fromPartial({
      attempt,
      ended: { ending: { $case: 'childDied', value: { suspects } } },
    });
  },
  'all-begun': ({ attempt }) => {
    const started = [{ first: 0, count: most }];
    return AttemptReport.fromPartial({
      attempt,
      ended: { ending: { $case: 'returned', value: { started } } },
    });
  },
};

test('an agent that lies is not believed: its session ends with what it said, and others do its work', async () => {
  const { client, coordinator, sha256 } = cluster;
  const items = Array.from({ length: 40 }, (_, index) => index);
  const jobId = await client.createJob(sha256, 'inc', { chunkSize: 2 });
  const pushed = client.push(jobId, items);
  const read = client.read(jobId);
  for (const [name, lie] of Object.entries(lies)) {
    const errors = await liar(name, lie);
    expect(errors.map(({ code }) => code)).toEqual(['AGENT_LIED', 'AGENT_LIED']);
    for (const { message } of errors) expect(message).toMatch(`Agent ${name} broke the protocol: it reports`);
    expect(coordinator.status().agents).toBe(0);
  }
  expect(cluster.events('agent.expelled').map(({ agent, items: open }) => [agent, open])).toEqual(
    Object.keys(lies).map((name) => [name, 2]),
  );
  await cluster.agent();
  expect(await pushed).toBe(items.length);
  const { ended, values: results } = await read;
  expect([...results.values()]).toEqual(items.map((x) => x + 1));
  expect(ended).toMatchObject({ succeeded: items.length, failed: 0 });
});

test('bytes that are no results end the session that sent them, and neither the coordinator nor the Map call', async () => {
  const { client } = cluster;
  await unary(client.bundles.nameBundle.bind(client.bundles), {
    name: 'work',
    version: 1,
    sha256: cluster.sha256,
  });
  const call = client.jobs.map();
  const results: string[] = [];
  const done = new Promise<void>((resolve, reject) => {
    call.on('data', ({ outcomes }: MapResponse) => {
      for (const { outcome } of outcomes) {
        if (outcome?.$case === 'value') results.push(Buffer.from(outcome.value).toString());
      }
    });
    call.on('error', reject);
    call.on('end', () => resolve());
  });
  call.write(MapRequest.fromPartial({ start: { function: 'work#inc' } }));
  call.write(MapRequest.fromPartial({ items: [Buffer.from('1'), Buffer.from('2')] }));
  call.end();
  // A length beyond the end; an end before the last one; bytes behind it.
  for (const bytes of ['ffffffffff', '0000000000', '000000000000000007']) {
    const lie: Lie = ({ attempt, first, count }) => values(attempt, first, count, Buffer.from(bytes, 'hex'));
    const errors = await liar(`bytes-${bytes}`, lie);
    expect(errors.map(({ code }) => code)).toEqual(['AGENT_LIED', 'AGENT_LIED']);
  }
  await cluster.agent();
  await done;
  expect(results).toEqual(['2', '3']);
});

test('an agent prints for jobs that it was given work of, and for no others', async () => {
  const { client, sha256 } = cluster;
  await cluster.agent({ processes: 1 });
  const jobId = await client.createJob(sha256, 'slow', { chunkSize: 1 });
  const read = client.read(jobId);
  await client.push(jobId, [[1, 3_000]]);
  const { control, data } = joinRaw(client.agents, 'intruder', () => []);
  for (const call of [control, data]) call.on('error', () => undefined);
  // Its data stream has said who it is by then.
  await once(control, 'data');
  const text = 'forged';
  for (const sequence of [1, 2])
    data.write({
      sequence,
      reports: [],
      prints: [{ jobId, prints: [{ stream: 1, agent: '', pid: 1, index: undefined, task: '', text }] }],
    });
  await until('it is refused', () => cluster.events('print.refused').length > 0);
  const { ended, prints } = await read;
  expect(ended).toMatchObject({ succeeded: 1, failed: 0 });
  expect(prints.filter((print) => print.includes(text))).toEqual([]);
  // It goes on: nothing that it reports of attempts depends on it.
  expect(cluster.events('print.refused')).toMatchObject([{ job: jobId, agent: 'intruder' }]);
  expect(cluster.events('agent.expelled')).toEqual([]);
  control.cancel();
  data.cancel();
});

test('a failure whose code is none of an item is told to its caller as it came, beside the other outcomes', async () => {
  await using pool = await connect(cluster.coordinator.address);
  for (const code of ['NEW_CODE', '__proto__', 'constructor', 'POOL_TERMINATED']) {
    const before = pool.stats().done;
    const mapped = pool.mapSettled((x: number) => x + 1, [0, 1], { chunkSize: 2 });
    const { control, data } = joinRaw(cluster.client.agents, 'newer', ({ attempt, first }) => {
      const failure = { index: first, kind: FailureKind.THROWN, code, summary: 'it rained' };
      return first === 0 ? [AttemptReport.fromPartial({ attempt, failures: [failure] })] : [];
    });
    for (const call of [control, data]) call.on('error', () => undefined);
    await until('the failure has come', () => pool.stats().done > before);
    control.cancel();
    data.cancel();
    const agent = await cluster.agent({ processes: 1 });
    const [failed, other] = await mapped;
    expect(failed).toMatchObject({ status: 'rejected', index: 0, error: { name: 'ItemError', code } });
    const { error } = failed as { readonly error: ItemError };
    expect(error.message).toBe(
      `Item 0 failed with "${code}", a code of which this version knows no more: it rained.`,
    );
    expect(other).toEqual({ status: 'fulfilled', index: 1, value: 2 });
    await agent.close({ drain: false });
  }
});
