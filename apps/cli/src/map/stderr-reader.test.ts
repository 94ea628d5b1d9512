import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isOwing } from '../output.ts';
import { JobDeadline } from './job-deadline.ts';
import { StderrReader } from './stderr-reader.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A stream whose reader takes nothing until it is told to. */
class Unread extends Writable {
  #go: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1024, decodeStrings: false });
  }

  override _write(_chunk: string, _encoding: string, done: () => void): void {
    this.#go = done;
  }

  go(): void {
    this.#go?.();
  }
}

function world(deadlineMs?: number) {
  const stderr = new Unread();
  const reader = new StderrReader(stderr, new JobDeadline(deadlineMs));
  const says = (chars: number): void => void stderr.write('x'.repeat(chars));
  return { stderr, reader, says };
}

/** What has become of a promise by now. */
async function stateOf(promise: Promise<void>): Promise<unknown> {
  const open = 'open';
  return Promise.race([
    promise.then(
      () => 'done',
      (error: unknown) => error,
    ),
    vi.advanceTimersByTimeAsync(0).then(() => open),
  ]);
}

test('a reader who keeps up is not waited for', async () => {
  const { reader, says } = world();
  says(10);
  expect(await stateOf(reader.caughtUp())).toBe('done');
});

test('one who is behind is waited for until he goes on', async () => {
  const { reader, says, stderr } = world();
  says(2_000);
  const waiting = reader.caughtUp();
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(await stateOf(waiting)).toBe('open');
  stderr.go();
  expect(await stateOf(waiting)).toBe('done');
});

test('but not longer than half a second after the deadline; then he is owed nothing', async () => {
  const { reader, says, stderr } = world(1_000);
  says(2_000);
  const waiting = reader.caughtUp();
  waiting.catch(() => {});
  await vi.advanceTimersByTimeAsync(1_499);
  expect([await stateOf(waiting), isOwing({ stderr, stdout: stderr })]).toEqual(['open', true]);
  await vi.advanceTimersByTimeAsync(1);
  expect(await stateOf(waiting)).toMatchObject({ code: 'JOB_DEADLINE' });
  expect(isOwing({ stderr, stdout: stderr })).toBe(false);
});

test('nor after a signal', async () => {
  const { reader, says } = world();
  says(2_000);
  const waiting = reader.caughtUp();
  waiting.catch(() => {});
  const stopped = new Error('it was stopped');
  reader.hurry(stopped);
  await vi.advanceTimersByTimeAsync(500);
  expect(await stateOf(waiting)).toBe(stopped);
});

test('one who is gone holds nobody up', async () => {
  const { reader, says, stderr } = world();
  stderr.on('error', () => {});
  says(2_000);
  const waiting = reader.caughtUp();
  stderr.destroy(new Error('nobody reads'));
  expect(await stateOf(waiting)).toBe('done');
});
