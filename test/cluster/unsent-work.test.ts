/** Work that is taken back before its agent has heard of it. */
import {
  AttemptReport,
  type ControlResponse,
  type DataResponse,
  FailureKind,
  JobState,
  Join,
  ownPeer,
} from '@shoal/protocol';
import { onTestFinished, test, vi } from 'vitest';
import { TestCluster } from './test-cluster.ts';

test('a job that ends in the turn in which it gets a slot leaves that slot to the next job at once', async ({
  expect,
}) => {
  const cluster = new TestCluster();
  onTestFinished(() => cluster.stop());
  // What an agent does not speak of is given up after longer than this test waits.
  await cluster.start({ scheduling: { confirmMs: 600_000 } });
  const { client, sha256 } = cluster;
  const control = client.agents.control();
  const data = client.agents.data();
  const given: { readonly attempt: number; readonly jobId: string }[] = [];
  let sequence = 0;
  const report = (...reports: AttemptReport[]): void => {
    sequence += 1;
    data.write({ sequence, reports, prints: [] });
  };
  const ended = { ending: { $case: 'returned' as const, value: { started: [] } } };
  control.on('data', ({ message }: ControlResponse) => {
    if (message?.$case === 'joined') {
      const { epoch, session } = message.value;
      data.write({ hello: { session, epoch }, sequence, reports: [], prints: [] });
    }
    if (message?.$case !== 'revoke') return;
    const { attempt } = message.value;
    if (given.some((each) => each.attempt === attempt)) report(AttemptReport.fromPartial({ attempt, ended }));
  });
  data.on('data', ({ dispatches }: DataResponse) => {
    given.push(...dispatches);
  });
  const join = Join.fromPartial({ agentName: 'raw', instance: 'raw', slots: 2, agent: ownPeer });
  control.write({ message: { $case: 'join', value: join } });

  const items = Array.from({ length: 40 }, (_, index) => index);
  const heldOf = (jobId: string): number[] =>
    given.filter((each) => each.jobId === jobId).map(({ attempt }) => attempt);
  /** A job, once it has both slots. */
  const start = async (): Promise<{ readonly jobId: string; readonly held: number[] }> => {
    const jobId = await client.createJob(sha256, 'inc', { chunkSize: 1, failFast: true });
    await client.push(jobId, items);
    await vi.waitFor(() => expect(heldOf(jobId)).toHaveLength(2), { timeout: 30_000 });
    return { jobId, held: heldOf(jobId) };
  };

  const { jobId, held } = await start();
  const [first = 0, second = 0] = held;
  // In one message: what frees a place, which the next item gets, and what ends the job.
  report(
    AttemptReport.fromPartial({
      attempt: first,
      runs: [{ first: 0, count: 1, payload: Buffer.from('a result'), runMs: 1_000, pid: 1 }],
      ended,
    }),
    AttemptReport.fromPartial({
      attempt: second,
      failures: [{ index: 1, kind: FailureKind.THROWN, code: 'ITEM_THREW' }],
      ended,
    }),
  );
  await vi.waitFor(async () => expect((await client.info(jobId))?.state).toBe(JobState.FAILED_FAST), {
    timeout: 30_000,
  });
  expect(heldOf(jobId)).toEqual(held);
  await start();
});
