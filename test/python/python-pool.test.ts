/** Each thing that is wrong with CPython's Pool: what it does here, and what Shoal does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type ItemError, Pool } from 'shoal';
import { describe, expect, test } from 'vitest';
import {
  Book,
  endless,
  eventually,
  rejectionOf,
  settled,
  tally,
  upTo,
} from '../conformance/pool-under-test.ts';
import {
  exceedQuota,
  failIfBad,
  misbehave,
  noteStart,
  noteThenThrow,
  square,
  whoRan,
} from '../conformance/work.ts';
import { isAlive } from '../process-life.ts';
import { slack } from '../slack.ts';
import { type PythonOptions, type PythonRun, python, runPython } from './cpython.testkit.ts';

// Nothing here takes CPython longer than a moment, unless it takes for ever.
const hangMs = 3_000;

const cpython = (name: string, options?: PythonOptions): Promise<PythonRun> =>
  runPython(fileURLToPath(new URL(`./cpython/${name}.py`, import.meta.url)), options);

const hangs = async (name: string): Promise<void> => {
  expect(await cpython(name, { limitMs: hangMs })).toEqual({ lines: [], finished: false });
};

/** A row of the table: the answer of Shoal, and that of CPython where there is one on this machine. */
function row(
  what: string,
  sides: { readonly shoal: () => Promise<void>; readonly cpython: () => Promise<void> },
): void {
  describe(what, () => {
    test('Shoal', sides.shoal);
    test.skipIf(python === undefined)('CPython', sides.cpython);
  });
}

row('a child that is killed', {
  shoal: async () => {
    await using pool = new Pool({ processes: 2 });
    const items = upTo(10).map((item) => (item === 3 ? { item, how: 'SIGKILL' as const } : { item }));
    const outcomes = await pool.mapSettled(misbehave, items, { chunkSize: 1 });
    expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([
      { index: 3, error: { code: 'ITEM_KILLED_CHILD', attempts: [{ signal: 'SIGKILL' }, {}, {}] } },
    ]);
  },
  cpython: () => hangs('killed_child'),
});

row('a task that ends its process', {
  shoal: async () => {
    await using pool = new Pool({ processes: 2 });
    const items = upTo(10).map((item) => (item === 3 ? { item, how: 'exit 3' as const } : { item }));
    const error = await rejectionOf(pool.map(misbehave, items, { chunkSize: 1 }));
    expect(error).toMatchObject({ index: 3, attempts: [{ exitCode: 3 }, {}, {}] });
  },
  cpython: () => hangs('exiting_child'),
});

row('maxTasksPerChild 2 with chunks of 3', {
  shoal: async () => {
    await using pool = new Pool({ processes: 1, maxTasksPerChild: 2 });
    const out = await pool.map(whoRan, upTo(12), { chunkSize: 3 });
    expect([...tally(out.map(({ pid }) => pid)).values()]).toEqual([2, 2, 2, 2, 2, 2]);
  },
  cpython: async () => {
    expect((await cpython('max_tasks')).lines).toEqual(['[6, 6]', 'done']);
  },
});

row('the rest of a chunk in which an item throws', {
  shoal: async () => {
    await using pool = new Pool({ processes: 1 });
    using book = new Book();
    const orders = upTo(6).map((item) => ({
      file: book.file,
      item,
      ...(item === 1 ? { how: 'throw' as const } : {}),
    }));
    await rejectionOf(pool.map(noteStart, orders, { chunkSize: 3 }));
    expect(book.lines.map((line) => Number(line.split(' ')[1]))).toEqual([0, 1, 2, 3, 4, 5]);
  },
  cpython: async () => {
    using book = new Book();
    const { lines } = await cpython('throw_in_chunk', { args: [book.file] });
    // Item 2 never ran.
    expect(lines).toEqual(['[0, 1, 3, 4, 5]', 'done']);
  },
});

row('a stream with chunks of 3, after an error', {
  shoal: async () => {
    await using pool = new Pool({ processes: 1 });
    const items = upTo(6).map((item) => ({ item, bad: item === 1 }));
    const stream = pool.imap(failIfBad, items, { chunkSize: 3 });
    const seen: unknown[] = [];
    for (const _ of items)
      seen.push(
        await stream.next().then(
          ({ value }) => value,
          () => 'error',
        ),
      );
    expect(seen).toEqual([0, 'error', 2, 3, 4, 5]);
  },
  cpython: async () => {
    const { lines } = await cpython('imap_after_error');
    // The results of the whole chunk are gone, and the stream is over.
    expect(lines).toEqual(['["error"]', 'done']);
  },
});

row('a stream of an endless input of which one result was taken', {
  shoal: async () => {
    await using pool = new Pool({ processes: 1 });
    const input = endless((index) => index);
    const stream = pool.imap(square, input.items);
    await stream.next();
    expect(await settled(input.pulled)).toBeLessThan(1_000);
  },
  cpython: async () => {
    const { lines } = await cpython('imap_endless');
    expect(Number(lines[0])).toBeGreaterThanOrEqual(20_000);
  },
});

row('an initializer that throws', {
  shoal: async () => {
    using book = new Book();
    await using pool = new Pool({ processes: 2, initializer: noteThenThrow, initArgs: [book.file] });
    expect(await rejectionOf(pool.map(square, upTo(3)))).toMatchObject({ code: 'INITIALIZER_FAILED' });
    expect(book.lines.length).toBeLessThanOrEqual(4);
  },
  cpython: async () => {
    using book = new Book();
    const run = await cpython('throwing_initializer', { args: [book.file], limitMs: hangMs });
    expect(run).toEqual({ lines: [], finished: false });
    expect(book.lines.length).toBeGreaterThan(10);
  },
});

row('an error that cannot be made again from its arguments', {
  shoal: async () => {
    await using pool = new Pool({ processes: 1 });
    const error = (await rejectionOf(pool.map(exceedQuota, [1]))) as ItemError;
    expect(error.cause).toMatchObject({ name: 'QuotaError', message: '1 left', left: 1 });
  },
  cpython: () => hangs('unpicklable_error'),
});

row('a callback that throws', {
  shoal: async () => {
    await using pool = new Pool({ processes: 1 });
    const warned = once(process, 'warning');
    const careless = (): never => {
      throw new Error('careless');
    };
    await pool.submit(square, [1], { onSuccess: careless }).wait();
    expect(await pool.submit(square, [2]).result()).toEqual([4]);
    expect((await warned)[0].message).toContain('careless');
  },
  cpython: () => hangs('throwing_callback'),
});

row('the result of a job that was pending at terminate()', {
  shoal: async () => {
    await using pool = new Pool({ processes: 1 });
    const job = pool.submit((ms: number) => new Promise((done) => setTimeout(done, ms)), [60_000]);
    await pool.terminate();
    expect(await rejectionOf(job.result())).toMatchObject({ code: 'POOL_TERMINATED' });
  },
  cpython: () => hangs('get_after_terminate'),
});

row('busy children of a parent that is killed with SIGKILL', {
  shoal: async () => {
    const program = fileURLToPath(new URL('./programs/orphans.ts', import.meta.url));
    const parent: ChildProcess = spawn(process.execPath, ['--conditions=@shoal/source', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const child = Number((await once(parent.stdout ?? parent, 'data'))[0]);
      expect(isAlive(child)).toBe(true);
      parent.kill('SIGKILL');
      await eventually(
        () => isAlive(child),
        (alive) => !alive,
        2_000 * slack(),
      );
    } finally {
      parent.kill('SIGKILL');
    }
  },
  cpython: async () => {
    const orphaned = Promise.withResolvers<number>();
    const run = cpython('orphans', {
      onLine: (line, pid) => {
        if (line === 'begun') return;
        process.kill(pid, 'SIGKILL');
        orphaned.resolve(Number(line));
      },
      lingerMs: 4_000,
    });
    const child = await orphaned.promise;
    // Time is the subject: nothing but time tells that a process without a parent is left alone.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const survived = isAlive(child);
    await run;
    expect(survived).toBe(true);
    await eventually(
      () => isAlive(child),
      (alive) => !alive,
    );
  },
});

row('a job of 3 items behind one of 600', {
  shoal: async () => {
    await using pool = new Pool({ processes: 2 });
    const big = pool.submit((x: number) => new Promise((done) => setTimeout(done, 2, x)), upTo(600));
    await pool.map(square, upTo(3));
    expect(big.progress.done).toBeLessThan(400);
    await big.wait();
  },
  cpython: async () => {
    const { lines } = await cpython('fairness');
    expect(Number(lines[0])).toBeGreaterThanOrEqual(500);
  },
});

row('a chunk size of 0', {
  shoal: async () => {
    await using pool = new Pool({ processes: 1 });
    const error = await rejectionOf(pool.map(square, [1, 2, 3], { chunkSize: 0 }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: expect.stringMatching(/^chunkSize has to be/) });
  },
  cpython: async () => {
    expect((await cpython('chunk_size_zero')).lines).toEqual(['[null, null, null]', 'done']);
  },
});
