import { getEventListeners } from 'node:events';
import { JobCancelledError, TimeoutError } from 'shoal';
import { expect } from 'vitest';
import { pending } from '../../pending.ts';
import { eventually, rejectionOf, Transcript, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { failAtFirst, heedSignal, loopForEver, sleepThenSay, square, whoRan } from '../work.ts';

const minuteMs = 60_000;

/** Jobs that are ended early. */
export const cancellation = chapter('cancellation', (specify) => {
  specify('a wait that runs out leaves the job alone; cancel() ends it', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const job = pool.submit(sleepThenSay, [minuteMs]);
    expect(await rejectionOf(job.result({ timeoutMs: 20 }))).toBeInstanceOf(TimeoutError);
    expect(job.ready).toBe(false);
    job.cancel();
    expect(await rejectionOf(job.result())).toBeInstanceOf(JobCancelledError);
    // The slot is free again once the item that ran was ended.
    expect(await pool.map(square, [2])).toEqual([4]);
  });

  specify('cancel() may come at any time, any number of times', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const job = pool.submit(sleepThenSay, [minuteMs]);
    job.cancel();
    job.cancel();
    expect(await rejectionOf(job.result())).toBeInstanceOf(JobCancelledError);
    job.cancel();
    const done = pool.submit(square, [2]);
    await done.wait();
    done.cancel();
    expect(await done.result()).toEqual([4]);
  });

  specify('the tasks of a cancelled job see their signal abort before they are killed', async ({ open }) => {
    const transcript = new Transcript();
    await using pool = await open({ processes: 1, printer: transcript.printer });
    const job = pool.submit(heedSignal, [3]);
    await eventually(
      () => transcript.stdout,
      (lines) => lines.some((line) => line.endsWith('waiting 3')),
    );
    job.cancel();
    await rejectionOf(job.result());
    // What is said after the end of a job is nobody's: the process is free again, which is the sign.
    expect(await pool.map(square, [2])).toEqual([4]);
  });

  specify(
    'a busy loop that is cancelled gives its slot back within a few seconds (G25)',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const job = pool.submit(loopForEver, [1]);
      await eventually(
        () => pool.stats().running,
        (running) => running === 1,
      );
      job.cancel();
      const before = performance.now();
      expect(await pool.map(square, [2])).toEqual([4]);
      expect(performance.now() - before).toBeLessThan(20_000);
    },
  );

  specify('no item of a cancelled job starts, and other jobs go on (G25)', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const doomed = pool.submit(
      sleepThenSay,
      upTo(500).map(() => 50),
    );
    const other = pending(pool.map(whoRan, upTo(50)));
    doomed.cancel();
    expect((await other).map(({ item }) => item)).toEqual(upTo(50));
    await eventually(
      () => pool.stats(),
      ({ queued, running }) => queued + running === 0,
    );
    expect(doomed.progress.done).toBeLessThan(500);
  });

  specify('an aborted signal rejects with its own reason', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const controller = new AbortController();
    const reason = { why: 'changed my mind' };
    const pending = rejectionOf(pool.map(sleepThenSay, [minuteMs], { signal: controller.signal }));
    controller.abort(reason);
    expect(await pending).toBe(reason);
    expect(await rejectionOf(pool.map(square, [1], { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  specify(
    'a signal that aborts a stream leaves what was delivered, then rejects with its reason',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const controller = new AbortController();
      const stream = pool.imap(sleepThenSay, [0, 1, minuteMs], { signal: controller.signal });
      expect((await stream.next()).value).toBe(0);
      expect((await stream.next()).value).toBe(1);
      const waiting = rejectionOf(stream.next());
      const reason = new Error('changed my mind');
      controller.abort(reason);
      expect(await waiting).toBe(reason);
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    },
  );

  specify('a signal is let go of when its job is over', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const { signal } = new AbortController();
    for (let job = 0; job < 3; job++) await pool.map(square, [1], { signal });
    await Array.fromAsync(pool.imap(square, [1], { signal }));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  specify('AbortSignal.timeout ends a job with a TimeoutError of the platform', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const error = await rejectionOf(pool.map(sleepThenSay, [minuteMs], { signal: AbortSignal.timeout(50) }));
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(error).not.toBeInstanceOf(TimeoutError);
  });

  specify('a job that is past its deadline is cancelled (G26)', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.map(sleepThenSay, [minuteMs], { deadlineMs: 100 }))).toMatchObject({
      code: 'JOB_DEADLINE',
      message: expect.stringContaining('100 ms'),
    });
  });

  specify('a job that waited until its deadline says for what (G20)', async ({ open }) => {
    const transcript = new Transcript();
    await using pool = await open({ processes: 1, printer: transcript.printer });
    const busy = pool.submit(heedSignal, [3]);
    await eventually(
      () => transcript.stdout,
      (lines) => lines.some((line) => line.endsWith('waiting 3')),
    );
    const error = await rejectionOf(pool.map(square, [1], { deadlineMs: 300 }));
    const waitingFor = expect.stringMatching(/all slots busy|its share of 1 process is in use/);
    expect(error).toMatchObject({ code: 'JOB_DEADLINE', facts: { limit: '300 ms', waitingFor } });
    expect(error).toMatchObject({ message: expect.stringContaining('It waited: ') });
    busy.cancel();
    await rejectionOf(busy.result());
  });

  specify('a deadline beats every retry (G26)', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const options = { deadlineMs: 500, retries: { thrown: 1_000 } };
    const error = await rejectionOf(pool.map(failAtFirst, [{ times: 9_999 }], options));
    expect(error).toMatchObject({ code: 'JOB_DEADLINE' });
    expect(await pool.map(square, [2])).toEqual([4]);
  });

  specify('a deadline that is kept is no error', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await pool.map(square, [2], { deadlineMs: minuteMs })).toEqual([4]);
  });
});
