import { poolOptionNames } from '@shoal/pool';
import { connect, type MapOptions, Pool, type PoolOptions } from 'shoal';
import { expect } from 'vitest';
import { rejectionOf } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { square } from '../work.ts';

const badOptions: readonly [keyof MapOptions | 'chunksize' | 'export', unknown, RegExp][] = [
  ['chunkSize', 0, /^chunkSize has to be a whole number from 1 to 1000000 or 'auto', not 0\.$/],
  ['chunkSize', 0.5, /chunkSize/],
  ['chunkSize', -1, /chunkSize/],
  ['chunkSize', 'many', /chunkSize .*'auto', not "many"/],
  ['timeoutMs', -1, /timeoutMs/],
  ['timeoutMs', Number.NaN, /timeoutMs .* not NaN/],
  ['deadlineMs', 0, /deadlineMs/],
  ['retries', -1, /retries/],
  ['retries', { lost: 0.5 }, /^retries\.lost has to be/],
  ['retries', { crashes: 1 }, /retries: there is no option "crashes"\. Did you mean crash\?/],
  ['maxTasksPerChild', '2', /maxTasksPerChild/],
  ['maxTasksPerChild', 0, /maxTasksPerChild/],
  ['concurrentTasksPerChild', 0, /concurrentTasksPerChild/],
  ['bufferSize', 0, /bufferSize/],
  ['failFast', 1, /failFast has to be true or false/],
  ['signal', {}, /signal has to be an AbortSignal/],
  ['onProgress', 'me', /onProgress has to be a function/],
  ['priority', 1_000, /priority/],
  ['pure', 'yes', /pure has to be true or false, not "yes"/],
  ['labels', ['gpu'], /labels has to be a record of strings, not an array/],
  ['labels', { gpu: 1 }, /labels\.gpu has to be a string, not 1/],
  ['labels', { '': 'x' }, /labels has an entry without a name/],
  ['labels', { gpu: 'x'.repeat(101) }, /labels\.gpu is longer than 100 characters/],
  ['labels', JSON.parse('{"__proto__":"x"}'), /labels\."__proto__" is no name of a label/],
  ['labels', { gpu: '' }, /labels\.gpu is empty/],
  ['requestId', 7, /requestId has to be a string, not 7/],
  ['requestId', '', /requestId is empty/],
  ['requestId', 'x'.repeat(201), /requestId is longer than 200 characters/],
  ['retryOn', [1], /retryOn\[0\] has to be a string/],
  ['chunksize', 2, /^map\(\) options: there is no option "chunksize"\. Did you mean chunkSize\?$/],
  ['export', 'square', /export goes with a module URL or path/],
];

const badPoolOptions: readonly [Readonly<Record<string, unknown>>, RegExp][] = [
  [{ processes: 0 }, /^processes has to be a whole number from 1 to 1024, not 0\.$/],
  [{ processes: '4' }, /^processes has to be .*, not "4"\.$/],
  [{ maxTasksPerChild: 1.5 }, /^maxTasksPerChild/],
  [{ maxtasksperchild: 2 }, /there is no option "maxtasksperchild"\. Did you mean maxTasksPerChild\?$/],
  [{ env: { A: 1 } }, /^env\.A has to be a string/],
  [{ stdio: 'inherit' }, /^stdio has to be 'forward' or 'ignore'/],
  [{ initializerTimeoutMs: 5 }, /^initializerTimeoutMs is given, but there is no initializer/],
  [{ maxBroadcastBytes: 10 }, /^maxBroadcastBytes has to be/],
  [{ startChildren: 'thread' }, /^startChildren has to be 'auto' or 'spawn' or 'fork', not "thread"\.$/],
  [{ preload: 1 }, /^preload has to be true or false, not 1\.$/],
  [{ preload: true, startChildren: 'spawn' }, /^preload shares what forked children load/],
  [{ unreadStreamMs: 5 }, /^unreadStreamMs is for a disposal that drains/],
  [{ initArgs: [1] }, /^initArgs is given, but there is no initializer/],
  [{ initializer: 5 }, /^initializer has to be a function/],
  [{ initializer: '' }, /^initializer is empty\.$/],
  [{ initializer: Object.create(null) }, /^initializer has to be a function/],
  [{ printer: Object.create(null) }, /^printer has to be a PrintWriter/],
];

/** Options that are not as documented. */
export const options = chapter('options', (specify) => {
  for (const [name, value, message] of badOptions) {
    const given = JSON.stringify({ [name]: value });
    specify(`${given} is refused by name, before anything runs`, async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const error = (await rejectionOf(pool.map(square, [1], { [name]: value }))) as Error;
      expect(error.constructor === RangeError || error.constructor === TypeError).toBe(true);
      expect(error.message).toMatch(message);
      expect(pool.stats().done).toBe(0);
    });
  }

  for (const [given, message] of badPoolOptions) {
    specify(`a pool with ${JSON.stringify(given)} is refused by name`, async ({ open }) => {
      const error = (await rejectionOf(open(given as PoolOptions))) as Error;
      expect(error.constructor === RangeError || error.constructor === TypeError).toBe(true);
      expect(error.message).toMatch(message);
    });
  }

  const nonsense = [0, -1, 0.5, Number.NaN, '3'];
  specify('every number of a method is checked, and named', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const names = [
      'chunkSize',
      'timeoutMs',
      'deadlineMs',
      'maxTasksPerChild',
      'concurrentTasksPerChild',
      'bufferSize',
      'bufferBytes',
    ];
    for (const name of names) {
      const all: object[] = nonsense.map((value) => ({ [name]: value }));
      for (const given of [...all, Object.create({ [name]: 0 })]) {
        const calls = [
          pool.map(square, [1], given),
          pool.mapSettled(square, [1], given),
          pool.starmap(square, [[1]], given),
          pool.apply(square, [1], given),
          pool.submit(square, [1], given).result(),
          pool.imap(square, [1], given).next(),
          pool.imapUnordered(square, [1], given).next(),
        ];
        for (const call of calls) {
          const error = (await rejectionOf(call)) as Error;
          expect([RangeError, TypeError]).toContain(error.constructor);
          expect(error.message).toMatch(new RegExp(`^${name} has to be a whole number`));
        }
      }
    }
    const bad: object = { timeoutMs: -1 };
    expect(await rejectionOf(pool.imap(square, [1]).next(bad))).toBeInstanceOf(RangeError);
    expect(await rejectionOf(pool.submit(square, [1]).result(bad))).toBeInstanceOf(RangeError);
    expect(await rejectionOf(pool.submit(square, [1]).wait(bad))).toBeInstanceOf(RangeError);
  });

  specify(
    'every number of a pool is checked, and named, before anything starts',
    async () => {
      const names = ['processes', 'maxTasksPerChild', 'concurrentTasksPerChild', 'maxRssBytes', 'maxAgeMs'];
      for (const name of [
        ...names,
        'maxItemBytes',
        'maxResultBytes',
        'maxBroadcastBytes',
        'unreadStreamMs',
      ]) {
        const all: PoolOptions[] = nonsense.map((value) => ({ [name]: value }));
        for (const given of [...all, Object.create({ [name]: 0 }) as PoolOptions]) {
          expect(() => new Pool(given), name).toThrow(new RegExp(`^${name} has to be a whole number`));
          // Nobody listens there: nothing is dialled before the options are known to be good.
          await expect(connect('127.0.0.1:1', given)).rejects.toThrow(new RegExp(`^${name} has to be`));
        }
      }
    },
    { cluster: 'tried with the local pool', containers: 'tried with the local pool' },
  );

  specify('an option that throws when it is read rejects, as every bad one does', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const options = Object.defineProperty({}, 'timeoutMs', {
      get: () => {
        throw new Error('unreadable');
      },
    });
    const calls = [
      pool.map(square, [1], options),
      pool.submit(square, [1], options).result(),
      pool.imap(square, [1], options).next(),
    ];
    for (const call of calls) expect(await rejectionOf(call)).toMatchObject({ message: 'unreadable' });
  });

  specify('every option is read once, to its last field, and in the call', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const reads: string[] = [];
    let over = false;
    /** As it was given, but it notes who is read. */
    const noting = <T extends object>(where: string, given: T): T => {
      const noted: T = Array.isArray(given) ? ([...given] as T) : { ...given };
      for (const [name, value] of Object.entries(given)) {
        const get = (): unknown => {
          reads.push(`${where}${name}${over ? ' late' : ''}`);
          return value;
        };
        Object.defineProperty(noted, name, { enumerable: true, configurable: true, get });
      }
      return noted;
    };
    const told: string[] = [];
    const given = {
      timeoutMs: 60_000,
      retries: noting('retries.', { thrown: 1, crash: 0 }),
      retryOn: noting('retryOn.', ['Error']),
      onProgress: () => told.push('onProgress'),
      onSuccess: () => told.push('onSuccess'),
      onError: () => told.push('onError'),
      labels: {},
      priority: 1,
    };
    const job = pool.submit(square, [1, 2, 3], noting('', given));
    over = true;
    expect(await job.result()).toEqual([1, 4, 9]);
    const fields = ['retries.thrown', 'retries.crash', 'retryOn.0'];
    expect(reads.sort()).toEqual([...Object.keys(given), ...fields].sort());
    expect([...new Set(told)].sort()).toEqual(['onProgress', 'onSuccess']);

    // Taken as it was when it was looked at: good, or refused.
    let looks = 0;
    const turning = Object.defineProperty({}, 'thrown', {
      get: () => (looks++ === 0 ? 1 : -5),
      enumerable: true,
    });
    expect(await pool.map(square, [2], { retries: turning })).toEqual([4]);
    expect(looks).toBe(1);
  });

  specify('onError is called of options that are refused', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const errors: unknown[] = [];
    const onError = (error: unknown): void => {
      errors.push(error);
    };
    for (const bad of [{ timeoutMs: -1 }, { timeuotMs: 1 }]) {
      const job = pool.submit(square, [1], { ...bad, onError });
      expect(await rejectionOf(job.result())).toBe(errors.at(-1));
    }
    expect(errors).toMatchObject([
      { message: expect.stringMatching(/^timeoutMs has to be/) },
      { message: expect.stringMatching(/there is no option "timeuotMs"/) },
    ]);
  });

  specify('a bad option of a stream rejects its first next(), then it is over', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const stream = pool.imap(square, [1], { bufferSize: 0 });
    expect(await rejectionOf(stream.next())).toBeInstanceOf(RangeError);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  specify('every method names itself when it refuses an option', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const bad = { chunk: 3 } as object;
    expect(await rejectionOf(pool.starmap(square, [[1]], bad))).toMatchObject({
      message: expect.stringMatching(/^starmap\(\)/),
    });
    expect(await rejectionOf(pool.mapSettled(square, [1], bad))).toMatchObject({
      message: expect.stringMatching(/^mapSettled\(\)/),
    });
    expect(await rejectionOf(pool.apply(square, [1], bad))).toMatchObject({
      message: expect.stringMatching(/^apply\(\)/),
    });
    expect(await rejectionOf(pool.imap(square, [1], bad).next())).toMatchObject({
      message: expect.stringMatching(/^imap\(\)/),
    });
  });

  specify('an option that is undefined is as good as none', async ({ open }) => {
    await using pool = await open({ processes: 1, maxTasksPerChild: undefined, initializer: undefined });
    const none: MapOptions = {
      chunkSize: undefined,
      timeoutMs: undefined,
      retries: undefined,
      signal: undefined,
    };
    expect(await pool.map(square, [3], none)).toEqual([9]);
  });

  specify('an argument of the wrong kind is refused by name, with what it was', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const wrong = (value: unknown): never => value as never;
    const calls: [Promise<unknown>, RegExp][] = [
      [pool.map(wrong(5), [1]), /^fn has to be a function or the URL or path of a module, not 5\.$/],
      [pool.map(wrong([square]), [1]), /^fn has to be .*, not an array\.$/],
      [pool.map('', [1]), /^fn is empty\.$/],
      [pool.map(square, wrong(7)), /^items has to be iterable \(.*\), not 7\.$/],
      [pool.starmap(square, wrong(null)), /^argLists has to be iterable \(.*\), not null\.$/],
      [pool.apply(square, wrong('3')), /^args has to be an array of the arguments, not "3"\.$/],
    ];
    for (const [call, message] of calls) {
      const error = (await rejectionOf(call)) as Error;
      expect([RangeError, TypeError]).toContain(error.constructor);
      expect(error.message).toMatch(message);
    }
  });

  specify('an initializer that is no module is told by its option', async ({ open }) => {
    expect(await rejectionOf(open({ initializer: './nowhere.ts' }))).toMatchObject({
      code: 'TASK_LOAD_FAILED',
      message: expect.stringMatching(
        /nowhere\.ts cannot be loaded: initializer names it, and there is no such file\./,
      ),
    });
  });

  // What no option of that kind takes.
  const strange: unknown[] = [null, -1.5, 10n, Symbol('x'), new Map(), new Date(0)];
  specify('every option is checked, of whatever kind it is, and named', async ({ open }) => {
    for (const name of poolOptionNames) {
      for (const value of strange) {
        const error = (await rejectionOf(open({ [name]: value }))) as Error;
        expect([RangeError, TypeError], name).toContain(error.constructor);
        expect(error.message).toMatch(
          new RegExp(`^${name} has to be .*, not (null|-1\\.5|10n|Symbol|a Map|a Date)`),
        );
      }
    }
    await using pool = await open({ processes: 1 });
    for (const name of [
      ...new Set([...badOptions.map(([each]) => each), 'onSuccess', 'onError', 'bufferBytes']),
    ]) {
      if (name === 'chunksize') continue;
      for (const value of strange) {
        const module = new URL('../work.ts', import.meta.url);
        const call =
          name === 'export'
            ? pool.submit(module, [1], { export: value as string })
            : pool.submit(square, [1], { [name]: value });
        const error = (await rejectionOf(call.result())) as Error;
        expect([RangeError, TypeError], name).toContain(error.constructor);
        expect(error.message).toMatch(
          new RegExp(`^${name} has to be .*, not (null|-1\\.5|10n|Symbol|a Map|a Date)`),
        );
      }
    }
  });

  specify('what cannot be iterated is refused', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.map(square, 5 as unknown as number[]))).toBeInstanceOf(TypeError);
    expect(await rejectionOf(pool.map(null as unknown as typeof square, [1]))).toBeInstanceOf(TypeError);
  });
});
