import v8 from 'node:v8';
import { JobState } from '@shoal/protocol';
import { describe, expect, test, vi } from 'vitest';
import { eachWithCoordinator, numbers, plusOne, rejection } from './client-case.testkit.ts';
import { connect } from './connect.ts';
import { type FakeCoordinator, until } from './fake-coordinator.testkit.ts';
import { OutcomeDelivery } from './outcome-delivery.ts';

let coordinator: FakeCoordinator;
eachWithCoordinator((fresh) => {
  coordinator = fresh;
});

describe('running jobs', () => {
  test('results come in order, whatever the number of items', async () => {
    await using pool = await connect(coordinator.address);
    expect(await pool.map(plusOne, [])).toEqual([]);
    expect(await pool.map(plusOne, numbers(10_000))).toEqual(numbers(10_000).map(plusOne));
    expect(pool.stats()).toMatchObject({ done: 10_000, queued: 0, running: 0 });
  });

  test('the first items leave with the request for results, as the answer to the new job grants them', async () => {
    coordinator.firstGrant = 10;
    coordinator.grantsToReaders = false;
    await using pool = await connect(coordinator.address);
    expect(await pool.map(plusOne, numbers(10))).toEqual(numbers(11).slice(1));
  });

  test('results of map may wait for each other; those of imap, and what is shown of their number, may not', async () => {
    await using pool = await connect(coordinator.address);
    await pool.map(plusOne, [1]);
    for await (const result of pool.imap(plusOne, [1])) expect(result).toBe(2);
    await pool.map(plusOne, [1], { onProgress: () => {} });
    expect(coordinator.jobs.map(({ gatherMs }) => gatherMs)).toEqual([250, undefined, undefined]);
  });

  test('a fault while results are handed on ends their job, there too, and leaves the others alone', async () => {
    await using pool = await connect(coordinator.address);
    const fault = new TypeError('of a bug');
    const broken = vi.spyOn(OutcomeDelivery.prototype, 'deliver').mockImplementationOnce(() => {
      throw fault;
    });
    const error = await rejection(pool.map(plusOne, [1]));
    expect(broken).toHaveBeenCalledOnce();
    expect(error).toMatchObject({ code: 'INTERNAL', cause: fault });
    expect(error.message).toContain('A fault of Shoal itself: TypeError: of a bug.');
    await until('the job is cancelled', () => coordinator.calls.includes('cancelJob'));
    expect(await pool.map(plusOne, [1])).toEqual([2]);
  });

  test('the input is pulled at most a window ahead of the consumer', async () => {
    await using pool = await connect(coordinator.address);
    let pulled = 0;
    const results = pool.imap(
      plusOne,
      (function* () {
        for (;;) yield pulled++;
      })(),
      { bufferSize: 100 },
    );
    for (let n = 0; n < 300; n++) expect(await results.next()).toEqual({ value: n + 1, done: false });
    expect(pulled).toBeLessThanOrEqual(400);
    await results.return();
    await until('the job is cancelled', () => coordinator.calls.includes('cancelJob'));
  });

  test('an item bigger than a message travels in parts', async () => {
    await using pool = await connect(coordinator.address);
    const text = 'x'.repeat(3_000_000);
    const [result] = await pool.map((item: string) => item, [text]);
    expect(result).toBe(`${text}1`);
  });

  test('outcomes are acknowledged in batches, not one by one', async () => {
    await using pool = await connect(coordinator.address);
    const results = pool.imap(plusOne, numbers(5_000), { bufferSize: 1_000 });
    let count = 0;
    for await (const _ of results) count += 1;
    expect(count).toBe(5_000);
    await until('all is acknowledged', () => coordinator.jobs[0]?.acknowledged === 5_000);
    const acknowledged = coordinator.calls.filter((call) => call === 'acknowledgeResults').length;
    expect(acknowledged).toBeGreaterThanOrEqual(4);
    expect(acknowledged).toBeLessThan(50);
  });

  test.each(['close', 'terminate'] as const)(
    '%s() waits until the coordinator knows what was taken',
    async (end) => {
      const pool = await connect(coordinator.address);
      expect(await pool.map(plusOne, numbers(10))).toHaveLength(10);
      if (end === 'close') pool.close();
      else pool.terminate();
      await pool.join();
      // Looked at without a wait: whoever exits now leaves nothing with the coordinator.
      expect(coordinator.jobs[0]?.acknowledged).toBe(10);
    },
  );

  test('options of the pool and of the job reach the coordinator', async () => {
    process.env['SHOAL_TEST_VARIABLE'] = 'here';
    await using pool = await connect(coordinator.address, {
      processes: 3,
      maxTasksPerChild: 7,
      env: ['SHOAL_TEST_VARIABLE'],
      execArgv: ['--max-old-space-size=99'],
      stdio: 'ignore',
      initializer: () => {},
    });
    await pool.map(plusOne, [1], { chunkSize: 5, timeoutMs: 1_000, priority: 4, retries: { thrown: 2 } });
    await pool.map(plusOne, [1]);
    const [first, second] = coordinator.jobs.map(({ request }) => request);
    expect(first?.options).toMatchObject({
      chunkSize: 5,
      timeoutMs: 1_000,
      priority: 4,
      maxTasksPerChild: 7,
      retries: { thrown: 2, crash: 2, timeout: 0, lost: 10 },
      group: { processes: 3, id: second?.options?.group?.id },
    });
    expect(first?.setup).toMatchObject({
      env: { SHOAL_TEST_VARIABLE: 'here' },
      execArgv: ['--max-old-space-size=99', '--enable-source-maps'],
      initializer: { task: { function: { $case: 'inlineSource', value: '(() => {})' } } },
    });
    expect(Object.keys(first?.setup?.env ?? {})).toEqual(['SHOAL_TEST_VARIABLE']);
  });

  test('the environment stays at home unless it is asked for', async () => {
    await using pool = await connect(coordinator.address);
    await pool.map(plusOne, [1]);
    expect(coordinator.jobs[0]?.request.setup).toMatchObject({ env: {}, onlyEnv: false });
  });

  test('an environment that is asked for is all that there is', async () => {
    await using pool = await connect(coordinator.address, { env: [] });
    await pool.map(plusOne, [1]);
    expect(coordinator.jobs[0]?.request.setup).toMatchObject({ env: {}, onlyEnv: true });
  });

  test('a cancelled job rejects with the reason of its signal', async () => {
    await using pool = await connect(coordinator.address);
    const controller = new AbortController();
    coordinator.onBlock = () => controller.abort(new Error('enough'));
    coordinator.ending = () => ({ state: JobState.UNSPECIFIED, succeeded: 0, failed: 0 });
    const error = await rejection(pool.map(plusOne, numbers(3), { signal: controller.signal }));
    expect(error.message).toBe('enough');
    // The end of its input may be there before.
    await until('the job is cancelled', () => coordinator.calls.includes('cancelJob'));
  });

  test('a job that cannot run rejects with the error of the catalogue and what was thrown', async () => {
    const thrown = { name: 'SyntaxError', message: 'no', stack: 'at shoal-bundle:/src/work.ts:4:9' };
    coordinator.ending = () => ({
      state: JobState.UNRUNNABLE,
      succeeded: 0,
      failed: 0,
      error: {
        code: 'INITIALIZER_FAILED',
        facts: { where: 'agent-1', reason: 'SyntaxError: no' },
        message: '',
        error: v8.serialize(thrown),
      },
    });
    await using pool = await connect(coordinator.address);
    const error = await rejection(pool.map(plusOne, [1]));
    expect(error).toMatchObject({ name: 'InitializerError', code: 'INITIALIZER_FAILED' });
    expect(error.cause).toMatchObject({ name: 'SyntaxError', message: 'no' });
  });
});
