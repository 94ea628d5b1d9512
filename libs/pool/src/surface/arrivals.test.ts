import { PoolTerminatedError } from '@shoal/errors';
import { expect, test } from 'vitest';
import { Pool } from '../pool.ts';

// The first inline function of a process takes a moment to be analysed: close() and terminate() come before its job does.

test('close() right after map() lets the map finish', async () => {
  const pool = new Pool({ processes: 1 });
  const results = pool.map((n: number) => n + 1, [1, 2, 3]);
  pool.close();
  expect(await results).toEqual([2, 3, 4]);
  await pool.join();
});

test('close() right after imap() lets the stream go on to its end', async () => {
  const pool = new Pool({ processes: 1 });
  const stream = pool.imap((n: number) => n * 2, [1, 2, 3]);
  pool.close();
  expect(await Array.fromAsync(stream)).toEqual([2, 4, 6]);
  await pool.join();
});

test('close() right after submit() lets the job finish', async () => {
  const pool = new Pool({ processes: 1 });
  const job = pool.submit((n: number) => n - 1, [1, 2, 3]);
  pool.close();
  expect(await job.result()).toEqual([0, 1, 2]);
  await pool.join();
});

test('terminate() right after map() rejects it', async () => {
  const pool = new Pool({ processes: 1 });
  const results = pool.map((n: number) => n + 2, [1, 2, 3]).catch((error: unknown) => error);
  await pool.terminate();
  expect(await results).toBeInstanceOf(PoolTerminatedError);
});

test('a job that is cancelled right after submit() does not hold up close()', async () => {
  const pool = new Pool({ processes: 1 });
  const job = pool.submit((n: number) => n - 2, [1, 2, 3]);
  job.cancel();
  pool.close();
  await expect(job.result()).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
  await pool.join();
});
