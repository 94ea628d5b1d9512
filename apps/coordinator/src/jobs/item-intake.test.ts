import type { PushItemsRequest } from '@shoal/protocol';
import { expect, test } from 'vitest';
import type { Driver, Happening } from '../driver.ts';
import { ClientCalls } from './client-calls.ts';
import { ItemIntake } from './item-intake.ts';

const start = (firstIndex = 0): PushItemsRequest => ({
  message: { $case: 'start', value: { jobId: 'job-1', firstIndex, clientSession: 's' } },
});
const block = (first: number, count: number, more = false, totalBytes = 0): PushItemsRequest => ({
  message: {
    $case: 'block',
    value: { first, count, payload: new Uint8Array(count), more, totalBytes, broadcastSha256: [] },
  },
});
const end = (totalItems: number): PushItemsRequest => ({
  message: { $case: 'endOfInput', value: { totalItems } },
});

/** An intake, what it reports, and what it does to its stream. */
function world() {
  const calls = new ClientCalls();
  const events: Happening[] = [];
  const ticks = { asked: 0 };
  const driver = {
    calls,
    step: (event: Happening) => events.push(event),
    tickSoon: () => {
      ticks.asked += 1;
    },
  };
  const said: string[] = [];
  const intake = new ItemIntake(
    driver as unknown as Driver,
    {
      pause: () => said.push('pause'),
      resume: () => said.push('resume'),
      done: (accepted) => said.push(`done ${accepted}`),
      fail: (error) => said.push(`fail ${(error as { code?: string }).code}`),
    },
    1000,
  );
  const take = (...messages: PushItemsRequest[]): void => {
    for (const message of messages) intake.take(message);
  };
  return { calls, events, intake, said, take, ticks };
}

test('what its client sends is reported as it comes', () => {
  const { events, take, ticks } = world();
  take(start(), block(0, 10), end(10));
  expect(events).toEqual([
    { type: 'writerOpened', call: 1, job: 'job-1', session: 's', firstIndex: 0 },
    // Others may come in the same turn; after it they are handed out.
    { type: 'blockReceived', call: 1, first: 0, count: 10, bytes: 10, more: true },
    { type: 'inputEndReceived', call: 1, totalItems: 10 },
  ]);
  expect(ticks.asked).toBe(1);
});

test('a block in parts is reported when it is whole, and has the bytes of all of them', () => {
  const { events, intake, take } = world();
  take(start(), block(0, 10, true, 20));
  expect(events).toHaveLength(1);
  take(block(0, 10));
  expect(events[1]).toMatchObject({ type: 'blockReceived', bytes: 20 });
  expect(intake.takeBlock().payload.byteLength).toBe(20);
});

test('a block that waits stops the stream until it is kept', () => {
  const { intake, said, take } = world();
  take(start(), block(0, 10));
  intake.holdBlock();
  expect(intake.takeBlock().payload.byteLength).toBe(10);
  intake.resume();
  expect(said).toEqual(['pause', 'resume']);
});

test('a stream that ends in order waits for its answer; one that is gone is over', () => {
  const orderly = world();
  orderly.take(start());
  orderly.intake.inputClosed();
  expect(orderly.events.at(-1)).toEqual({ type: 'writerClosed', call: 1, orderly: true });
  orderly.intake.done(7);
  orderly.intake.gone();
  expect([orderly.said, orderly.events.length]).toEqual([['done 7'], 2]);
  const broken = world();
  broken.take(start());
  broken.intake.gone();
  broken.take(block(0, 1));
  expect(broken.events.at(-1)).toEqual({ type: 'writerClosed', call: 1, orderly: false });
  expect(broken.calls.writer(1)).toBeUndefined();
});

test('items before a start are refused, and so is a second start', () => {
  const early = world();
  early.take(block(0, 1));
  expect([early.said, early.events]).toEqual([['fail REQUEST_INVALID'], []]);
  const twice = world();
  twice.take(start(), start());
  expect(twice.said).toEqual(['fail REQUEST_INVALID']);
  expect(twice.events.at(-1)).toEqual({ type: 'writerClosed', call: 1, orderly: false });
});

test('parts that do not fit together end the stream', () => {
  const { said, take } = world();
  take(start(), block(0, 10, true, 20), block(5, 10));
  expect(said).toEqual(['fail REQUEST_INVALID']);
});

test('a writer that is refused hears it once', () => {
  const { intake, said, take } = world();
  take(start());
  intake.refused(Object.assign(new Error(), { code: 'STREAM_REPLACED' }) as never);
  intake.gone();
  intake.done(1);
  expect(said).toEqual(['fail STREAM_REPLACED']);
});
