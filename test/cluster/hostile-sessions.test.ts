/**
 * Mutated frames in the middle of a session that holds work, from either side. Those in hostile-peers.test.ts come from
 * peers that hold none.
 */
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { ItemFailure, ReadResultsResponse, ResultRun } from '@shoal/protocol';
import { connect } from 'shoal';
import { expect, onTestFinished, test } from 'vitest';
import { decodeList } from '../../libs/pool/src/values/block-codec.ts';
import { Service } from '../chaos/service.ts';
import { FalseCoordinator } from '../hostile/false-coordinator.ts';
import { SessionAttack } from '../hostile/session-attack.ts';
import { Random } from '../simulation/random.ts';
import { TestCluster, until } from './test-cluster.ts';

interface Outcomes {
  readonly runs: ResultRun[];
  readonly failures: ItemFailure[];
}

/** All that came of a job; runs as they are, for those of somebody who lies may be anything. */
function readOutcomes(call: ClientReadableStream<ReadResultsResponse>): Promise<Outcomes> {
  const outcomes: Outcomes = { runs: [], failures: [] };
  let parts: Uint8Array[] = [];
  call.on('data', ({ message }: ReadResultsResponse) => {
    if (message?.$case !== 'batch') return;
    for (const { outcome } of message.value.outcomes) {
      if (outcome?.$case === 'failure') outcomes.failures.push(outcome.value);
      if (outcome?.$case !== 'run') continue;
      parts.push(outcome.value.payload);
      if (outcome.value.more) continue;
      outcomes.runs.push({ ...outcome.value, payload: Buffer.concat(parts) });
      parts = [];
    }
  });
  return new Promise((resolve, reject) => {
    call.on('error', reject);
    call.on('end', () => resolve(outcomes));
  });
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

test('mutated news of agents that hold work end their sessions, with a reason; of the job the rest is what it would be', async () => {
  const cluster = new TestCluster();
  onTestFinished(() => cluster.stop());
  await cluster.start({ scheduling: { graceMs: 300 } });
  const { client, coordinator, sha256 } = cluster;
  const honest = await cluster.agent({ name: 'honest', processes: 1 });
  const items = numbers(400);
  const retries = { thrown: 1_000, crash: 1_000, timeout: 1_000, lost: 1_000 };
  const jobId = await client.createJob(sha256, 'slow', { chunkSize: 2, retries });
  const work = items.map((item) => [item, 10]);
  const pushed = client.push(jobId, work, 10);
  const read = readOutcomes(client.jobs.readResults({ jobId, fromPosition: 0, clientSession: '' }));
  const { address } = coordinator;
  const attacks = [1, 2, 3, 4].map((seed) => new SessionAttack(address, new Random(seed), `mutant-${seed}`));
  await Promise.all(attacks.map((attack) => attack.run(400, read)));
  expect(await pushed).toBe(items.length);
  const { failures, runs } = await read;

  expect(attacks.reduce((sum, { sessions }) => sum + sessions, 0)).toBeGreaterThan(40);
  const endings = new Set(attacks.flatMap((attack) => [...attack.endings.keys()]));
  expect(endings, 'what their streams ended with').toContain('AGENT_LIED');
  const named = ['AGENT_LIED', 'LIMIT_REACHED', 'REQUEST_INVALID', 'RESULT_TOO_LARGE'];
  expect([...endings].filter((code) => !named.includes(code))).toEqual([]);
  const known = [...failures.map(({ index }) => index), ...runs.flatMap(indicesOf)];
  expect(
    known.toSorted((a, b) => a - b),
    'each item has one outcome',
  ).toEqual(items);
  const believed = runs.filter(({ agent }) => agent === honest.name);
  expect(believed.length).toBeGreaterThan(50);
  const values = believed.flatMap(({ count, payload, payloadSkip }) =>
    decodeList(payload, payloadSkip, count),
  );
  expect(values).toEqual(believed.flatMap(indicesOf).map((index) => index + 1));
  // What somebody says of his own work, in words that are possible, is his to say.
  const blamed = [
    ...failures.map(({ attempts }) => attempts.at(-1)?.agent),
    ...runs.map(({ agent }) => agent),
  ];
  expect(blamed.filter((agent) => agent !== honest.name && !agent?.startsWith('mutant-'))).toEqual([]);
  expect(await everythingOf(address, 20)).toEqual(numbers(20).map((x) => x * x));
});

const indicesOf = ({ count, first }: ResultRun): number[] => numbers(count).map((at) => first + at);

/** A job of somebody who means well. */
async function everythingOf(address: string, items: number): Promise<number[]> {
  await using pool = await connect(address);
  return await pool.map((x: number) => x * x, numbers(items));
}

test('mutated orders to agents that work end their sessions, with a reason, and no agent: they serve the next coordinator', async () => {
  const hostile = new FalseCoordinator(new Random(5));
  await hostile.listen();
  const { address } = hostile;
  const names = ['one', 'two', 'three'];
  const agents = names.map((name) =>
    Service.start({ args: ['agent', '--join', address, '--name', name, '--processes', '2'], env: {} }),
  );
  onTestFinished(async () => {
    await Promise.all(agents.map((agent) => agent.kill()));
  });
  const story = (): string => agents.map((agent) => agent.story()).join('\n');
  await until(
    'the agents have heard enough',
    () => hostile.sent,
    (sent) => sent >= 800 || agents.some(({ alive }) => !alive),
    120_000,
  );
  await hostile.close();
  const alive = (): boolean[] => agents.map((agent) => agent.alive);
  expect(alive(), story()).toEqual([true, true, true]);
  for (const name of names) expect(hostile.reports.get(name), `reports of ${name}`).toBeGreaterThan(10);
  const ends = agents.flatMap((agent) => agent.events('agent.disconnected').map(({ msg }) => msg));
  const told = ends.filter((msg) => msg.includes('was lost (its answer cannot be read: '));
  expect(told.length, story()).toBeGreaterThan(20);

  const cluster = new TestCluster();
  onTestFinished(() => cluster.stop());
  await cluster.listen({ listen: address });
  await until(
    'all have joined',
    () => cluster.coordinator.status().agents,
    (joined) => joined === names.length || agents.some(({ alive }) => !alive),
    60_000,
  );
  expect(alive(), story()).toEqual([true, true, true]);
  expect(await everythingOf(address, 60), story()).toEqual(numbers(60).map((x) => x * x));
});
