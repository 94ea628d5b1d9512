import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import v8 from 'node:v8';
import { JobState } from '@shoal/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Project } from './bundle/bundle.testkit.ts';
import { connect } from './connect.ts';
import { FakeCoordinator, until } from './fake-coordinator.testkit.ts';

const plusOne = (n: number): number => n + 1;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

let coordinator: FakeCoordinator;
beforeEach(async () => {
  coordinator = await FakeCoordinator.start();
});
afterEach(() => coordinator[Symbol.asyncDispose]());

/** What a promise rejected with. */
async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It did not reject.');
}

describe('connecting', () => {
  test('a bad option is refused by its name, before anything starts', async () => {
    const refused = (options: object): Promise<Error> => rejection(connect(coordinator.address, options));
    expect(await refused({ processes: 0 })).toMatchObject({ name: 'RangeError', message: /processes/ });
    for (const [options, where, meant] of [
      [{ tokn: 'x' }, 'connect() options', 'token'],
      [{ connectTimeoutMS: 1 }, 'connect() options', 'connectTimeoutMs'],
      [{ proceses: 1 }, 'connect() options', 'processes'],
      [{ tls: { crt: 'x' } }, 'tls', 'cert'],
    ] as const) {
      const name = where === 'tls' ? 'crt' : Object.keys(options)[0];
      const message = `${where}: there is no option "${name}". Did you mean ${meant}?`;
      expect(await refused(options)).toMatchObject({ name: 'TypeError', message });
    }
    expect(await refused({ token: 'a b' })).toMatchObject({ name: 'TypeError', message: /^token has to be/ });
    expect(await refused({ tls: 'yes' })).toMatchObject({ name: 'TypeError', message: /^tls has to be/ });
    expect(await refused({ tls: { cert: 'x' } })).toMatchObject({ message: /tls.cert and tls.key/ });
    expect(await refused({ tls: { ca: '/nowhere/ca.crt' } })).toMatchObject({
      code: 'FILE_NOT_USABLE',
      message: '/nowhere/ca.crt: it does not exist.',
    });
    expect(await refused({ connectTimeoutMs: 0 })).toMatchObject({
      name: 'RangeError',
      message: /connectTimeoutMs/,
    });
    expect(await refused({ insecure: 'yes' })).toMatchObject({ name: 'TypeError', message: /insecure/ });
    expect(coordinator.calls).toEqual([]);
  });

  test('another machine is refused without insecure, and the reason is said', async () => {
    const error = await rejection(connect('192.0.2.1:7300'));
    expect(error).toMatchObject({ code: 'INSECURE_CONNECT', message: /192\.0\.2\.1:7300.*insecure: true/ });
  });

  test('nobody listening is CANNOT_CONNECT with the reason, the tries and the time', async () => {
    const server: Server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const at = server.address();
    const port = typeof at === 'object' && at !== null ? at.port : 0;
    server.close();
    const error = await rejection(connect(`127.0.0.1:${port}`, { connectTimeoutMs: 700 }));
    expect(error).toMatchObject({ code: 'CANNOT_CONNECT' });
    expect(error.message).toMatch(
      /^Cannot reach coordinator 127\.0\.0\.1:\d+ \(connection refused, tried (once|twice|\d+ times) in [\d.]+ m?s\)\./,
    );
  });

  test('a socket that never answers is CANNOT_CONNECT after the time that the option says', async () => {
    const silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const at = silent.address();
    const startedAt = performance.now();
    const error = await rejection(
      connect(`127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}`, { connectTimeoutMs: 400 }),
    );
    silent.close();
    expect(error).toMatchObject({
      code: 'CANNOT_CONNECT',
      message: expect.stringContaining('no answer in time'),
    });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('a signal that aborts ends the attempt at once, with its reason', async () => {
    for (const how of ['silent', 'away'] as const) {
      const stop = new AbortController();
      if (how === 'silent') coordinator.fallSilent();
      else coordinator.cut({ refuse: true });
      const startedAtMs = performance.now();
      const options = { connectTimeoutMs: 600_000, signal: stop.signal };
      const connecting = rejection(connect(coordinator.address, options));
      await until('it tries', () => coordinator.attempts > 0);
      stop.abort(new Error(`enough of one that is ${how}`));
      expect((await connecting).message).toBe(`enough of one that is ${how}`);
      expect(performance.now() - startedAtMs).toBeLessThan(60_000);
      await until('nothing is open', () => coordinator.connections === 0);
      coordinator.attempts = 0;
    }
    const aborted = connect(coordinator.address, { signal: AbortSignal.abort(new Error('before')) });
    expect((await rejection(aborted)).message).toBe('before');
    expect(coordinator.attempts).toBe(0);
    const wrong = connect(coordinator.address, { signal: 5 as unknown as AbortSignal });
    expect(await rejection(wrong)).toMatchObject({ name: 'TypeError', message: /^signal has to be/ });
  });

  test('a signal that aborts later ends nothing', async () => {
    const stop = new AbortController();
    await using pool = await connect(coordinator.address, { signal: stop.signal });
    stop.abort();
    expect(await pool.map(plusOne, [1])).toEqual([2]);
  });

  test('a coordinator that comes up late is reached', async () => {
    coordinator.cut({ refuse: true });
    const connecting = connect(coordinator.address);
    setTimeout(() => coordinator.mend(), 200);
    await using pool = await connecting;
    expect(await pool.map(plusOne, [1])).toEqual([2]);
  });

  test('a coordinator of another protocol is VERSION_MISMATCH with both versions', async () => {
    coordinator.peer = { version: '9.0.0', protocol: 9, oldestProtocol: 9 };
    const error = await rejection(connect(coordinator.address));
    expect(error).toMatchObject({ code: 'VERSION_MISMATCH', message: expect.stringContaining('9.0.0') });
  });
});

test('a coordinator of another release that speaks our protocol is served', async () => {
  coordinator.peer = { version: '9.1.0', protocol: 9, oldestProtocol: 1 };
  await using pool = await connect(coordinator.address);
  expect(await pool.map(plusOne, [1])).toEqual([2]);
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

describe('code', () => {
  test('that does not load on an agent is named as its user knows it', async () => {
    await using project = await Project.of({ 'src/work.ts': 'export const run = (n: number): number => n;' });
    coordinator.ending = () => {
      const [sha256 = ''] = coordinator.bundles.keys();
      const facts = { module: `/var/agent/${sha256}.mjs`, reason: 'no', hint: '' };
      const error = { code: 'TASK_LOAD_FAILED', facts, message: '', error: new Uint8Array() };
      return { state: JobState.UNRUNNABLE, succeeded: 0, failed: 0, error };
    };
    await using pool = await connect(coordinator.address);
    const error = await rejection(pool.map(project.url('src/work.ts'), [1], { export: 'run' }));
    expect(error.message).toBe('src/work.ts cannot be loaded: no.');
  });

  test('is sent once for many jobs, and again when the coordinator has lost it', async () => {
    await using project = await Project.of({ 'work.ts': 'export const run = (n: number): number => n + 1;' });
    const url = project.url('work.ts');
    const puts = (): number => coordinator.calls.filter((call) => call === 'putBundle').length;
    await using pool = await connect(coordinator.address);
    for (let n = 0; n < 3; n++) await pool.map(url, [1], { export: 'run' });
    expect(puts()).toBe(1);
    coordinator.bundles.clear();
    expect(await pool.map(url, [1], { export: 'run' })).toEqual([2]);
    expect(puts()).toBe(2);
  });

  test('that a coordinator has from another client is not sent at all', async () => {
    await using project = await Project.of({ 'work.ts': 'export const run = (n: number): number => n + 1;' });
    for (let n = 0; n < 2; n++) {
      await using pool = await connect(coordinator.address);
      await pool.map(project.url('work.ts'), [1], { export: 'run' });
    }
    expect(coordinator.calls.filter((call) => call === 'putBundle')).toHaveLength(1);
  });

  test('that cannot be bundled rejects before a job is created', async () => {
    await using project = await Project.of({ 'work.ts': 'export const run = (' });
    await using pool = await connect(coordinator.address);
    const error = await rejection(pool.map(project.url('work.ts'), [1], { export: 'run' }));
    expect(error).toMatchObject({ code: 'TASK_BUNDLE_FAILED' });
    expect(coordinator.jobs).toEqual([]);
  });
});

describe('a connection that breaks', () => {
  test('in the middle of a job is made again: nothing is missing, nothing comes twice', async () => {
    await using pool = await connect(coordinator.address);
    let blocks = 0;
    coordinator.onBlock = () => {
      blocks += 1;
      if (blocks % 5 === 0 && blocks < 40) coordinator.cut();
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
      coordinator.cut();
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
      coordinator.cut();
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
      if (blocks === 3) coordinator.cut();
    };
    coordinator.onDone = (call) => {
      if (call !== 'getJob' || cuts === 3) return;
      cuts += 1;
      coordinator.cut();
    };
    const seen: number[] = [];
    for await (const value of pool.imap(plusOne, numbers(2_000), { bufferSize: 100 })) seen.push(value);
    expect(seen).toEqual(numbers(2_000).map(plusOne));
    expect(cuts).toBe(3);
  });

  test('for longer than reconnectTimeoutMs ends the job with CONNECTION_LOST', async () => {
    await using pool = await connect(coordinator.address, { reconnectTimeoutMs: 300 });
    coordinator.onBlock = () => coordinator.cut({ refuse: true });
    const startedAt = performance.now();
    const error = await rejection(pool.map(plusOne, numbers(10)));
    expect(error).toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringContaining(coordinator.address),
    });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('is said while the coordinator is waited for', async () => {
    await using pool = await connect(coordinator.address, { reconnectTimeoutMs: 1_000 });
    coordinator.onBlock = () => coordinator.cut({ refuse: true });
    const said = new Set<string | undefined>();
    const onProgress = ({ waitingFor }: { waitingFor?: string }): void => void said.add(waitingFor);
    await rejection(pool.map(plusOne, numbers(10), { onProgress }));
    expect(said).toContain(`the connection to ${coordinator.address} was lost, trying again`);
  });

  test('to a coordinator that has forgotten the job says so', async () => {
    await using pool = await connect(coordinator.address);
    coordinator.onBlock = () => {
      coordinator.jobs.length = 0;
      coordinator.cut();
    };
    const error = await rejection(pool.map(plusOne, numbers(10)));
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('restarted') });
  });

  test('to a coordinator that has given the job up meanwhile says why', async () => {
    await using pool = await connect(coordinator.address);
    coordinator.onBlock = () => {
      coordinator.jobs.length = 0;
      coordinator.givenUpFor = 'no client was connected to it for 30 s';
      coordinator.cut();
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
    coordinator.cut();
    expect(await pool.map(plusOne, [1])).toEqual([2]);
  });
});

describe('the end of a pool', () => {
  test('terminate() rejects what is pending within a second, even without a coordinator', async () => {
    const pool = await connect(coordinator.address);
    coordinator.ending = () => ({ state: JobState.UNSPECIFIED, succeeded: 0, failed: 0 });
    let reached = false;
    coordinator.onBlock = () => {
      reached = true;
      coordinator.cut({ refuse: true });
    };
    const pending = rejection(pool.map(plusOne, numbers(10)));
    await until('the job runs', () => reached);
    const startedAt = performance.now();
    await pool.terminate();
    expect(await pending).toMatchObject({ code: 'POOL_TERMINATED' });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test('close() and join() wait for what runs, then close the socket', async () => {
    await using project = await Project.of({ 'work.ts': 'export const run = (n: number): number => n + 1;' });
    const pool = await connect(coordinator.address);
    const results = pool.map(project.url('work.ts'), numbers(100), { export: 'run' });
    pool.close();
    await pool.join();
    expect(await results).toHaveLength(100);
    await until('the socket is closed', () => coordinator.connections === 0);
  });

  test('an idle connection does not keep its process from exiting', async () => {
    await using project = await Project.of({});
    const main = join(project.folder, 'main.ts');
    const client = fileURLToPath(new URL('./index.ts', import.meta.url));
    await writeFile(
      main,
      `import { connect } from ${JSON.stringify(client)};
       const pool = await connect('${coordinator.address}');
       console.log(JSON.stringify(await pool.map((n: number) => n, [41])));`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@shoal/source', main], {
      timeout: 60_000,
    });
    expect(JSON.parse(stdout)).toEqual([42]);
  });
});
