/** A client whose connection breaks, and what its coordinator then makes of it. */
import { type Coordinator, startCoordinator } from '@shoal/coordinator';
import { type Agent, startAgent } from '@shoal/node-agent';
import { pino } from 'pino';
import { connect } from 'shoal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, rejectionOf, upTo } from './pool-under-test.ts';
import { Wire } from './wire.ts';
import { repeated, sleepThenSay, square, whoRan } from './work.ts';

const log = pino({ level: 'silent' });
let coordinator: Coordinator;
let agent: Agent;

beforeEach(async () => {
  coordinator = await startCoordinator({ listen: '127.0.0.1:0', log, ephemeralGraceMs: 3_000 });
  agent = await startAgent({ join: coordinator.address, name: 'agent-1', processes: 2, log });
  await agent.joined;
});

afterEach(async () => {
  await agent.close({ drain: false });
  await coordinator.close({ drain: false });
});

test('a job whose connection breaks again and again is complete and in order', async () => {
  await using wire = await Wire.to(coordinator.address);
  await using pool = await connect(wire.address);
  const cutting = setInterval(() => wire.cut(), 150);
  try {
    const out: number[] = [];
    for await (const { item } of pool.imap(whoRan, upTo(2_000), { bufferSize: 300 })) out.push(item);
    expect(out).toEqual(upTo(2_000));
    expect(wire.cuts).toBeGreaterThan(3);
  } finally {
    clearInterval(cutting);
  }
});

test('a connection that breaks while big items are on their way loses none of them', async () => {
  await using wire = await Wire.to(coordinator.address);
  await using pool = await connect(wire.address);
  const items = upTo(30).map((n) => `${n}`.repeat(300_000));
  const cutting = setInterval(() => wire.cut(), 400);
  try {
    const lengths = await pool.map((item: string) => item.length, items);
    expect(lengths).toEqual(items.map(({ length }) => length));
    expect(wire.cuts).toBeGreaterThan(0);
  } finally {
    clearInterval(cutting);
  }
});

test('a connection that breaks while big results come back in parts hands out each of them once', async () => {
  await using wire = await Wire.to(coordinator.address);
  await using pool = await connect(wire.address);
  const cutting = setInterval(() => wire.cut(), 300);
  try {
    const out: string[] = [];
    for await (const text of pool.imap(repeated, upTo(12), { bufferSize: 4 })) out.push(text.slice(0, 3));
    expect(out).toEqual(upTo(12).map((n) => `${n}`.repeat(3).slice(0, 3)));
    expect(wire.cuts).toBeGreaterThan(1);
  } finally {
    clearInterval(cutting);
  }
});

test('a job whose client leaves without a word is cancelled after the time of grace', async () => {
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

test('a coordinator that stops ends what runs with an error that says so', async () => {
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
