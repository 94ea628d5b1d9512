import { ItemError, PoolTerminatedError, type ShoalError } from '@shoal/errors';
import { expect, test, vi } from 'vitest';
import type { MapPool } from '../map-pool.ts';
import { task } from '../task/task.ts';
import { CallSite } from './call-site.ts';
import { FakeBackend } from './fake-backend.testkit.ts';
import { surfaceOver } from './surface.ts';

const double = task(import.meta, (x: number) => x * 2);

function surface(): { pool: MapPool; backend: FakeBackend } {
  const backend = new FakeBackend();
  return { pool: surfaceOver(backend, { processes: 2 }), backend };
}

async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error('it was fulfilled'),
    (error: Error) => error,
  );
}

/** The first frame below the message, and whether any frame is one of the pool's own. */
function stackOf(error: Error): { readonly topFrame: string; readonly hasOwnFrames: boolean } {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    topFrame: frames[0]?.trim().split(' ')[1]?.replace(/^.*\./, '') ?? '',
    hasOwnFrames: frames.some((frame) => /surface\/(?!call-site\.test)|item-error|shoal-error/.test(frame)),
  };
}

test('the stack of a failed item is the line that called map', async () => {
  const { pool, backend } = surface();
  const ofTheUser = (): Promise<unknown> => pool.map(double, [0, 1]);
  const rejection = rejectionOf(ofTheUser());
  backend.job.gives(0, 'a');
  backend.job.fails(1);
  backend.job.ends();
  const error = await rejection;
  expect(error).toBeInstanceOf(ItemError);
  expect(error.stack).toMatch(/^ItemError: Item 1 failed: .*\n +at ofTheUser .*call-site\.test\.ts:\d+:\d+/);
  expect(stackOf(error)).toEqual({ topFrame: 'ofTheUser', hasOwnFrames: false });
});

test('so it is for streams, outcomes, handles, refused options and what ends a job', async () => {
  const { pool, backend } = surface();
  const calls = {
    imap: () => pool.imap(double, [0, 1]),
    mapSettled: () => pool.mapSettled(double, [0]),
    submit: () => pool.submit(double, [0]),
    badOption: () => pool.map(double, [0], { chunkSize: 0 }),
    terminated: () => pool.map(double, [0]),
  };
  const errors: Record<string, Error> = {};

  const stream = calls.imap();
  backend.job.fails(0);
  errors['calls.imap'] = await rejectionOf(stream.next());

  const outcomes = calls.mapSettled();
  backend.job.fails(0);
  backend.job.ends();
  const [outcome] = await outcomes;
  if (outcome?.status === 'rejected') errors['calls.mapSettled'] = outcome.error;

  const job = calls.submit();
  const waits = { result: () => job.result({ timeoutMs: 0 }), next: () => stream.next({ timeoutMs: 0 }) };
  errors['waits.result'] = await rejectionOf(waits.result());
  errors['waits.next'] = await rejectionOf(waits.next());
  job.cancel();
  errors['calls.submit'] = await rejectionOf(job.result());

  errors['calls.badOption'] = await rejectionOf(calls.badOption());

  const terminated = calls.terminated();
  backend.job.ends(new PoolTerminatedError());
  errors['calls.terminated'] = await rejectionOf(terminated);

  const seen = Object.entries(errors).map(([name, error]) => ({ name, ...stackOf(error) }));
  expect(seen).toEqual(seen.map(({ name }) => ({ name, topFrame: name.split('.')[1], hasOwnFrames: false })));
  expect(seen).toHaveLength(7);
});

test('two jobs that end for one reason each get an error of their own', async () => {
  const { pool, backend } = surface();
  const reason = new PoolTerminatedError();
  const one = rejectionOf(pool.map(double, [0]));
  backend.job.ends(reason);
  const two = rejectionOf(pool.map(double, [0]));
  backend.job.ends(reason);
  const [first, second] = await Promise.all([one, two]);
  expect(second).not.toBe(first);
  expect(second).toBeInstanceOf(PoolTerminatedError);
  expect({ ...second }).toEqual({ ...first });
  expect(second.message).toBe(first.message);
  expect(second.stack).not.toBe(first.stack);
});

test('what the input throws, and the reason of a signal, stay untouched', async () => {
  const { pool, backend } = surface();
  const thrown = new TypeError('of the input');
  const { stack } = thrown;
  function* input(): Generator<number> {
    yield 1;
    throw thrown;
  }
  const rejection = rejectionOf(pool.map(double, input()));
  // On a busy machine the event loop has its turn before the input goes on, and throws.
  await vi.waitUntil(() => backend.job.inputEnded);
  backend.job.gives(0, 2);
  backend.job.ends();
  expect(await rejection).toBe(thrown);
  const reason: ShoalError = new PoolTerminatedError();
  const before = reason.stack;
  const aborted = rejectionOf(pool.map(double, [1], { signal: AbortSignal.abort(reason) }));
  expect(await aborted).toBe(reason);
  expect([thrown.stack, reason.stack]).toEqual([stack, before]);
});

test('a program that notes no stacks keeps the errors as they are', () => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const site = new CallSite(surface);
  Error.stackTraceLimit = limit;
  const error = new PoolTerminatedError();
  const { stack } = error;
  expect(site.of(error).stack).toBe(stack);
});
