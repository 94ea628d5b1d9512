/** An agent that reports what cannot be, in frames that are well-formed. */
import type { ServiceError } from '@grpc/grpc-js';
import type { ShoalError } from '@shoal/errors';
import {
  AttemptReport,
  type ControlResponse,
  type DataResponse,
  type Dispatch,
  errorFromStatus,
  FailureKind,
  Join,
  ownPeer,
} from '@shoal/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestCluster } from './test-cluster.ts';

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
async function liar(agentName: string, lie: Lie): Promise<ShoalError[]> {
  const { agents } = cluster.client;
  const control = agents.control();
  const data = agents.data();
  const ended = [control, data].map(
    (call) =>
      new Promise<ShoalError>((resolve, reject) => {
        call.on('error', (error: ServiceError) =>
          resolve(errorFromStatus(error, { address: 'the coordinator' })),
        );
        call.on('end', () => reject(new Error('the stream ended without an error')));
      }),
  );
  control.on('data', ({ message }: ControlResponse) => {
    if (message?.$case !== 'joined') return;
    const { epoch, session } = message.value;
    data.write({ hello: { session, epoch }, sequence: 0, reports: [], prints: [] });
  });
  data.on('data', ({ dispatches }: DataResponse) => {
    const [given] = dispatches;
    if (given === undefined) return;
    // The lie, and behind it in the same message what would be true.
    const value = { first: given.first, count: given.count, payload: Buffer.alloc(9), runMs: 1, pid: 7 };
    const truth = AttemptReport.fromPartial({ attempt: given.attempt, runs: [value] });
    data.write({ sequence: 1, reports: [lie(given), truth], prints: [] });
  });
  const join = Join.fromPartial({ agentName, instance: 'raw', slots: 1, agent: ownPeer });
  control.write({ message: { $case: 'join', value: join } });
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
