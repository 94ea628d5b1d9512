import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { InitializerError, Pool } from 'shoal';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../process-life.ts';
import { eventually, rejectionOf } from './pool-under-test.ts';

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs a program of ./programs to its end. */
function run(program: string, ...args: string[]): Promise<Ended> {
  const path = fileURLToPath(new URL(`./programs/${program}`, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@shoal/source', path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ stdout, stderr, code })));
}

describe('the process that has the pool', () => {
  test('ends by itself when its pool is idle, and the children with it', async () => {
    const { stdout, stderr, code } = await run('idle.ts');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const pids = JSON.parse(stdout) as number[];
    expect(pids).toHaveLength(3);
    await eventually(
      () => pids.filter(isAlive),
      (left) => left.length === 0,
    );
  });

  test('lives until a pending map is done', async () => {
    expect(await run('pending.ts')).toEqual({ stdout: '[300]\n', stderr: '', code: 0 });
  });

  test('does not wait for a stream that was dropped', async () => {
    expect(await run('dropped.ts')).toEqual({ stdout: '0\n', stderr: '', code: 0 });
  });

  test('shows what tasks print as whole lines with who said it', async () => {
    const { stdout, stderr, code } = await run('prints.ts');
    expect(code).toBe(0);
    expect(stdout.replaceAll(/pid=\d+/g, 'pid=N')).toBe(
      '(speak pid=N item=0) processing record Marie Curie\n(speak pid=N item=1) processing record Ada\n',
    );
    expect(stderr.replaceAll(/pid=\d+/g, 'pid=N')).toBe(
      [
        '(speak pid=N item=0) two lines',
        '(speak pid=N item=0) of Marie Curie',
        '(speak pid=N item=1) two lines',
        '(speak pid=N item=1) of Ada',
        '',
      ].join('\n'),
    );
  });

  test("shows nothing of it with stdio: 'ignore'", async () => {
    expect(await run('prints.ts', 'ignore')).toEqual({ stdout: '', stderr: '', code: 0 });
  });

  test('learns that its pool would be created in every child too', async () => {
    const { stdout, code } = await run('unguarded.ts');
    expect(stdout).toMatch(/^POOL_IN_TASK_MODULE A Pool was created .* \(.*unguarded\.ts\)/);
    expect(stdout).toMatch(/import\.meta\.main/);
    expect(code).toBe(0);
  });
});

describe('what the children of a local pool are like', () => {
  const variables = (names: readonly string[]): (string | undefined)[] =>
    names.map((name) => process.env[name]);

  test('they have the environment of the caller, or the part of it that is named, or what is given', async () => {
    process.env['SHOAL_TEST_A'] = 'a';
    process.env['SHOAL_TEST_B'] = 'b';
    const names = ['SHOAL_TEST_A', 'SHOAL_TEST_B'];
    await using whole = new Pool({ processes: 1 });
    expect(await whole.apply(variables, [names])).toEqual(['a', 'b']);
    await using named = new Pool({ processes: 1, env: ['SHOAL_TEST_B'] });
    expect(await named.apply(variables, [names])).toEqual([undefined, 'b']);
    await using given = new Pool({ processes: 1, env: { SHOAL_TEST_A: 'other' } });
    expect(await given.apply(variables, [names])).toEqual(['other', undefined]);
  });

  test('the initializer runs in each of them, again in each replacement', async () => {
    await using pool = new Pool({
      processes: 1,
      maxTasksPerChild: 1,
      initializer: async (value: number) => {
        Reflect.set(globalThis, 'shared', value);
      },
      initArgs: [42],
    });
    expect(await pool.map(() => Reflect.get(globalThis, 'shared') as number, [1, 2, 3])).toEqual([
      42, 42, 42,
    ]);
  });

  test('an initializer that throws rejects pending work', async () => {
    await using pool = new Pool({
      processes: 2,
      initializer: () => {
        throw new TypeError('no data');
      },
    });
    const error = (await rejectionOf(pool.map((x: number) => x, [1, 2, 3]))) as InitializerError;
    expect(error).toBeInstanceOf(InitializerError);
    expect(error.message).toContain('TypeError: no data');
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  test('an initializer that cannot be sent rejects pending work', async () => {
    const outside = 1;
    await using pool = new Pool({ processes: 1, initializer: () => outside });
    expect(await rejectionOf(pool.map((x: number) => x, [1]))).toMatchObject({ code: 'TASK_NOT_PORTABLE' });
  });

  test('execArgv reaches them', async () => {
    await using pool = new Pool({ processes: 1, execArgv: ['--title=shoal-child-under-test'] });
    expect(await pool.apply(() => process.title, [])).toBe('shoal-child-under-test');
  });
});

describe('options of a pool', () => {
  test.each([
    [{ processes: 0 }, RangeError, /^processes has to be a whole number from 1 to 1024, not 0\.$/],
    [{ processes: '4' }, TypeError, /^processes has to be .*, not "4"\.$/],
    [{ maxTasksPerChild: 1.5 }, RangeError, /^maxTasksPerChild/],
    [
      { maxtasksperchild: 2 },
      TypeError,
      /^Pool options: there is no option "maxtasksperchild"\. Did you mean maxTasksPerChild\?$/,
    ],
    [{ env: 'PATH' }, TypeError, /^env/],
    [{ env: { A: 1 } }, TypeError, /^env\.A has to be a string/],
    [{ stdio: 'inherit' }, RangeError, /^stdio has to be 'forward' or 'ignore'/],
    // On a cluster agents decide.
    [{ preload: true }, TypeError, /^preload shares .+ 'spawn' \(its default\): say 'fork' or 'auto'\.$/],
    [{ initArgs: [1] }, TypeError, /^initArgs is given, but there is no initializer/],
    [{ initializer: 5 }, TypeError, /^initializer has to be a function/],
    [5, TypeError, /^Pool options has to be an object, not 5/],
  ])('%j is refused by name', (options, kind, message) => {
    const open = (): Pool => new Pool(options as never);
    expect(open).toThrow(kind);
    expect(open).toThrow(message);
  });
});
