/** A client whose connection breaks, and what its coordinator then makes of it. */
import { type Coordinator, startCoordinator } from '@shoal/coordinator';
import { type Agent, startAgent } from '@shoal/node-agent';
import { pino } from 'pino';
import { connect } from 'shoal';
import { afterEach, expect, test } from 'vitest';
import { eventually, rejectionOf, upTo } from './pool-under-test.ts';
import { Wire } from './wire.ts';
import { repeated, sleepThenSay, square, whoRan } from './work.ts';

const log = pino({ level: 'silent' });
let coordinator: Coordinator;
let agent: Agent;

/** The longest time between two breaks of a connection: long enough to get somewhere on the busiest machine. */
const cutEveryMsMax = 10_000;

async function start(ephemeralGraceMs = 60_000): Promise<void> {
  coordinator = await startCoordinator({ listen: '127.0.0.1:0', log, ephemeralGraceMs });
  agent = await startAgent({ join: coordinator.address, name: 'agent-1', processes: 2, log });
  await agent.joined;
}

/** Cuts a wire again and again, each time a little later: a machine on which nothing gets through in time has its turn. */
function cutting(wire: Wire, firstMs: number): Disposable {
  let everyMs = firstMs;
  let timer: NodeJS.Timeout;
  const later = (): void => {
    timer = setTimeout(() => {
      wire.cut();
      everyMs = Math.min(everyMs * 1.15, cutEveryMsMax);
      later();
    }, everyMs);
  };
  later();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

afterEach(async () => {
  await agent.close({ drain: false });
  await coordinator.close({ drain: false });
});

test('a job whose connection breaks again and again is complete and in order', async () => {
  await start();
  await using wire = await Wire.to(coordinator.address);
  await using pool = await connect(wire.address);
  using _ = cutting(wire, 100);
  const out: number[] = [];
  for await (const { item } of pool.imap(whoRan, upTo(2_000), { bufferSize: 300 })) out.push(item);
  expect(out).toEqual(upTo(2_000));
  expect(wire.cuts).toBeGreaterThan(3);
});

test('a connection that breaks while big items are on their way loses none of them', async () => {
  await start();
  await using wire = await Wire.to(coordinator.address);
  await using pool = await connect(wire.address);
  const items = upTo(30).map((n) => `${n}`.repeat(300_000));
  using _ = cutting(wire, 400);
  const lengths = await pool.map((item: string) => item.length, items);
  expect(lengths).toEqual(items.map(({ length }) => length));
  expect(wire.cuts).toBeGreaterThan(0);
});

test('a connection that breaks while big results come back in parts hands out each of them once', async () => {
  await start();
  await using wire = await Wire.to(coordinator.address);
  await using pool = await connect(wire.address);
  using _ = cutting(wire, 200);
  const out: string[] = [];
  for await (const text of pool.imap(repeated, upTo(12), { bufferSize: 4 })) out.push(text.slice(0, 3));
  expect(out).toEqual(upTo(12).map((n) => `${n}`.repeat(3).slice(0, 3)));
  expect(wire.cuts).toBeGreaterThan(1);
});

test('a job whose client leaves without a word is cancelled after the time of grace', async () => {
  await start(3_000);
  await using wire = await Wire.to(coordinator.address);
  const pool = await connect(wire.address);
  const lost = rejectionOf(pool.map(sleepThenSay, [60_000]));
  await eventually(
    () => coordinator.status().activeJobs,
    (jobs) => jobs === 1,
  );
  await wire[Symbol.asyncDispose]();
  await pool.terminate();
  expect(await lost).toMatchObject({ code: 'POOL_TERMINATED' });
  await eventually(
    () => coordinator.status().activeJobs,
    (jobs) => jobs === 0,
  );
});

test('a coordinator that stops does not wait for a job where no agent and no client is left', async () => {
  await start();
  await using wire = await Wire.to(coordinator.address);
  const pool = await connect(wire.address);
  const lost = rejectionOf(pool.map(sleepThenSay, [60_000]));
  await eventually(
    () => coordinator.status().runningItems,
    (items) => items === 1,
  );
  await wire[Symbol.asyncDispose]();
  await pool.terminate();
  expect(await lost).toMatchObject({ code: 'POOL_TERMINATED' });
  await agent.close({ drain: false });
  // Far longer than this test may take.
  await coordinator.close({ drainMs: 600_000 });
});

test('a coordinator that stops ends what runs with an error that says so', async () => {
  await start();
  await using pool = await connect(coordinator.address, { reconnectTimeoutMs: 500 });
  expect(await pool.map(square, [3])).toEqual([9]);
  const pending = rejectionOf(pool.map(sleepThenSay, [60_000]));
  await eventually(
    () => pool.stats().running,
    (running) => running === 1,
  );
  await coordinator.close({ drain: false });
  expect(await pending).toMatchObject({ code: expect.stringMatching(/CONNECTION_LOST|JOB_CANCELLED/) });
});
