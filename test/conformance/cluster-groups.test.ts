/** Whose processes live on the agents of a cluster, and until when. */
import { appendFileSync } from 'node:fs';
import { type Coordinator, startCoordinator } from '@shoal/coordinator';
import { type Agent, startAgent } from '@shoal/node-agent';
import { pino } from 'pino';
import { connect } from 'shoal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pending } from '../pending.ts';
import { isAlive } from '../process-life.ts';
import { Book, eventually, upTo } from './pool-under-test.ts';
import { Wire } from './wire.ts';
import { runTogether, whoRan } from './work.ts';

const log = pino({ level: 'silent' });
let coordinator: Coordinator;
let agent: Agent;

beforeEach(async () => {
  coordinator = await startCoordinator({ listen: '127.0.0.1:0', log, heartbeatMs: 50 });
  agent = await startAgent({ join: coordinator.address, name: 'agent-1', processes: 2, log });
  await agent.joined;
});

afterEach(async () => {
  await agent.close({ drain: false });
  await coordinator.close({ drain: false });
});

/** The processes that run the items of a job. */
async function pidsOf(pool: Awaited<ReturnType<typeof connect>>): Promise<number[]> {
  return [...new Set((await pool.map(whoRan, upTo(8))).map(({ pid }) => pid))];
}

async function end(pids: readonly number[]): Promise<void> {
  await eventually(
    () => pids.filter(isAlive),
    (left) => left.length === 0,
  );
}

test('the processes of a connection that was closed end', async () => {
  const pool = await connect(coordinator.address);
  const pids = await pidsOf(pool);
  expect(pids.filter(isAlive)).toEqual(pids);
  pool.close();
  await pool.join();
  await end(pids);
});

test('the processes of a client that left without a word end', async () => {
  await using wire = await Wire.to(coordinator.address);
  await using pool = await connect(wire.address);
  const pids = await pidsOf(pool);
  await wire[Symbol.asyncDispose]();
  await end(pids);
});

test('the processes of a connection that is idle wait for its next job', async () => {
  await using pool = await connect(coordinator.address, { processes: 1 });
  const pids = await pidsOf(pool);
  // Time is the subject: many heartbeats, in each of which the coordinator looks.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(pids.filter(isAlive)).toEqual(pids);
  expect(await pidsOf(pool)).toEqual(pids);
});

test('deaths and replacements of processes are told to whom they belong, and to nobody else', async () => {
  await using mine = await connect(coordinator.address);
  await using other = await connect(coordinator.address);
  const failed = await mine.mapSettled(() => process.exit(3), [0], { retries: { crash: 1 } });
  expect(failed).toMatchObject([{ status: 'rejected' }]);
  await mine.map(whoRan, upTo(4), { maxTasksPerChild: 1 });
  await eventually(
    () => mine.stats(),
    ({ deaths, recycled }) => deaths === 2 && recycled >= 3,
  );
  await pidsOf(other);
  await eventually(
    () => other.stats(),
    ({ processes }) => processes.length > 0,
  );
  expect(other.stats()).toMatchObject({ deaths: 0, recycled: 0 });
});

test('a connection has no more processes busy than it asked for, on an agent with more, and its next shards wait there', async () => {
  using book = new Book();
  await using capped = await connect(coordinator.address, { processes: 1, concurrentTasksPerChild: 2 });
  await using other = await connect(coordinator.address);
  // All wait for a word of ours.
  const items = upTo(12).map((item) => ({ item, ms: 0, file: book.file, meet: 100 }));
  const running = pending(capped.map(runTogether, items, { chunkSize: 1 }));
  const held = await eventually(
    () => ({ begun: book.lines.length, given: coordinator.status().runningItems }),
    ({ begun, given }) => begun === 2 && given > 2,
  );
  // A shard with two calls, and behind it three others for the one slot that it may use.
  expect(held).toEqual({ begun: 2, given: 8 });
  // The other slot is free for whoever comes.
  expect(await other.map(whoRan, [1, 2])).toHaveLength(2);
  expect(book.lines).toHaveLength(2);
  appendFileSync(book.file, 'go\n'.repeat(100));
  expect(new Set((await running).map((run) => run.worker)).size).toBe(1);
});
