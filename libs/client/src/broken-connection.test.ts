import { describe, expect, test } from 'vitest';
import { eachWithCoordinator, numbers, plusOne, rejection } from './client-case.testkit.ts';
import { connect } from './connect.ts';
import { type FakeCoordinator, until } from './fake-coordinator.testkit.ts';

let coordinator: FakeCoordinator;
eachWithCoordinator((fresh) => {
  coordinator = fresh;
});

describe('a connection that breaks', () => {
  test('in the middle of a job is made again: nothing is missing, nothing comes twice', async () => {
    await using pool = await connect(coordinator.address);
    let blocks = 0;
    coordinator.onBlock = () => {
      blocks += 1;
      if (blocks % 5 === 0 && blocks < 40) coordinator.wire.cut();
    };
    const seen: number[] = [];
    for await (const value of pool.imap(plusOne, numbers(3_000), { bufferSize: 200 })) seen.push(value);
    expect(seen).toEqual(numbers(3_000).map(plusOne));
    expect(coordinator.calls.filter((call) => call === 'readResults').length).toBeGreaterThan(3);
  });

  test('before the answer to the request for a job came creates it once', async () => {
    await using pool = await connect(coordinator.address);
    let cuts = 0;
    coordinator.onDone = (call) => {
      if (call !== 'createJob' || cuts === 2) return;
      cuts += 1;
      coordinator.wire.cut();
    };
    expect(await pool.map(plusOne, numbers(100))).toEqual(numbers(100).map(plusOne));
    expect([cuts, coordinator.jobs.length]).toEqual([2, 1]);
    expect(coordinator.calls.filter((call) => call === 'createJob')).toHaveLength(3);
  });

  test('between an acknowledgement and its answer loses nothing: it is said again', async () => {
    await using pool = await connect(coordinator.address);
    let cuts = 0;
    coordinator.onDone = (call) => {
      if (call !== 'acknowledgeResults' || cuts === 5) return;
      cuts += 1;
      coordinator.wire.cut();
    };
    const seen: number[] = [];
    for await (const value of pool.imap(plusOne, numbers(2_000), { bufferSize: 100 })) seen.push(value);
    expect(seen).toEqual(numbers(2_000).map(plusOne));
    expect(cuts).toBe(5);
    await until('all is acknowledged', () => coordinator.jobs[0]?.acknowledged === 2_000);
  });

  test('while the coordinator is asked where to go on is asked again', async () => {
    await using pool = await connect(coordinator.address);
    let [blocks, cuts] = [0, 0];
    coordinator.onBlock = () => {
      blocks += 1;
      if (blocks === 3) coordinator.wire.cut();
    };
    coordinator.onDone = (call) => {
      if (call !== 'getJob' || cuts === 3) return;
      cuts += 1;
      coordinator.wire.cut();
    };
    const seen: number[] = [];
    for await (const value of pool.imap(plusOne, numbers(2_000), { bufferSize: 100 })) seen.push(value);
    expect(seen).toEqual(numbers(2_000).map(plusOne));
    expect(cuts).toBe(3);
  });

  test('for longer than reconnectTimeoutMs ends the job with CONNECTION_LOST', async () => {
    await using pool = await connect(coordinator.address, { reconnectTimeoutMs: 300 });
    coordinator.onBlock = () => coordinator.wire.cut({ refuse: true });
    const startedAt = performance.now();
    const error = await rejection(pool.map(plusOne, numbers(10)));
    expect(error).toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringContaining(
        `Try again once it answers: shoal doctor --address ${coordinator.address}. A job that was under way begins anew.`,
      ),
    });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('is said while the coordinator is waited for', async () => {
    await using pool = await connect(coordinator.address, { reconnectTimeoutMs: 1_000 });
    coordinator.onBlock = () => coordinator.wire.cut({ refuse: true });
    const said = new Set<string | undefined>();
    const onProgress = ({ waitingFor }: { waitingFor?: string }): void => void said.add(waitingFor);
    await rejection(pool.map(plusOne, numbers(10), { onProgress }));
    expect(said).toContain(`the connection to ${coordinator.address} was lost, trying again`);
  });

  test('to a coordinator that has forgotten the job says so', async () => {
    await using pool = await connect(coordinator.address);
    coordinator.onBlock = () => {
      coordinator.jobs.length = 0;
      coordinator.wire.cut();
    };
    const error = await rejection(pool.map(plusOne, numbers(10)));
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('restarted') });
  });

  test('before the results were asked for, to a coordinator that was restarted meanwhile, says so', async () => {
    await using pool = await connect(coordinator.address);
    // The answer to the request for a job goes out; then there is another coordinator.
    coordinator.onDone = (call) => {
      if (call === 'createJob') coordinator.jobs.length = 0;
    };
    const error = await rejection(pool.map(plusOne, numbers(10)));
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('restarted') });
  });

  test('to a coordinator that has given the job up meanwhile says why', async () => {
    await using pool = await connect(coordinator.address);
    coordinator.onBlock = () => {
      coordinator.jobs.length = 0;
      coordinator.givenUpFor = 'no client was connected to it for 30 s';
      coordinator.wire.cut();
    };
    const error = await rejection(pool.map(plusOne, numbers(10)));
    expect(error).toMatchObject({
      code: 'CONNECTION_LOST',
      facts: { reason: 'it gave the job up: no client was connected to it for 30 s' },
    });
  });

  test('while idle is made again for the next job', async () => {
    await using pool = await connect(coordinator.address);
    await pool.map(plusOne, [1]);
    coordinator.wire.cut();
    expect(await pool.map(plusOne, [1])).toEqual([2]);
  });
});
