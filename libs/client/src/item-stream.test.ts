import { EventEmitter } from 'node:events';
import type { PushItemsRequest, PushItemsResponse } from '@shoal/protocol';
import { expect, test } from 'vitest';
import type { Connection } from './connection.ts';
import { ItemStream } from './item-stream.ts';

/** The writing side of a call whose peer reads when it is told to. */
class SlowCall extends EventEmitter {
  readonly written: PushItemsRequest[] = [];
  writableEnded = false;
  isFull = false;

  write(message: PushItemsRequest): boolean {
    this.written.push(message);
    return !this.isFull;
  }

  end(message: PushItemsRequest): void {
    this.written.push(message);
    this.writableEnded = true;
  }

  cancel(): void {
    this.emit('error', new Error('cancelled'));
  }
}

type Answer = (error: Error | null, response?: PushItemsResponse) => void;

function openStream(call: SlowCall): { stream: ItemStream; answer: Answer; over: unknown[] } {
  const over: unknown[] = [];
  let answer: Answer = () => {};
  const connection = {
    jobs: {
      pushItems: (callback: Answer) => {
        answer = callback;
        return call;
      },
    },
    errorOf: (error: Error) => error,
  };
  const start = { jobId: 'job', clientSession: 'session', firstIndex: 0 };
  // Of a connection, a stream of items needs these two members.
  const stream = new ItemStream(connection as unknown as Connection, start as never, (error) =>
    over.push(error),
  );
  return { stream, answer: (...said) => answer(...said), over };
}

const block = (first: number, bytes = 10) => ({
  first,
  count: 1,
  bytes: Buffer.alloc(bytes),
  broadcasts: [],
});
const sent = (call: SlowCall): string[] =>
  call.written.map(({ message }) =>
    message?.$case === 'block' ? `block ${message.value.first}` : `${message?.$case}`,
  );

test('G29: nothing more is written to a peer that does not read, until `drain`', () => {
  const call = new SlowCall();
  const { stream } = openStream(call);
  call.isFull = true;
  for (const first of [0, 1, 2]) stream.send(block(first));
  stream.end(3);
  expect(sent(call)).toEqual(['start', 'block 0']);
  call.emit('drain');
  expect(sent(call)).toEqual(['start', 'block 0', 'block 1']);
  call.isFull = false;
  call.emit('drain');
  expect(sent(call)).toEqual(['start', 'block 0', 'block 1', 'block 2', 'endOfInput']);
  call.emit('drain');
  expect(call.written).toHaveLength(5);
});

test('a peer that is behind from the first message on gets no second one', () => {
  const call = new SlowCall();
  call.isFull = true;
  openStream(call).stream.send(block(0));
  expect(sent(call)).toEqual(['start']);
});

test('the parts of a big block wait for `drain` one by one', () => {
  const call = new SlowCall();
  const { stream } = openStream(call);
  call.isFull = true;
  stream.send(block(0, 3 * 2 ** 20));
  expect(sent(call)).toEqual(['start', 'block 0']);
  for (let reads = 0; reads < 100; reads += 1) call.emit('drain');
  const parts = call.written.flatMap(({ message }) => (message?.$case === 'block' ? [message.value] : []));
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(3 * 2 ** 20);
  expect(parts.map(({ more }) => more)).toEqual([...parts.slice(1).map(() => true), false]);
});

test('after cancel() nothing is written and nothing is heard', () => {
  const call = new SlowCall();
  const { stream, answer, over } = openStream(call);
  stream.cancel();
  stream.send(block(0));
  answer(new Error('cancelled'));
  expect(sent(call)).toEqual(['start']);
  expect(over).toEqual([]);
});

test('the end of a stream is heard once, whatever follows', () => {
  const call = new SlowCall();
  const { answer, over } = openStream(call);
  const reset = new Error('reset');
  answer(reset);
  answer(null);
  expect(over).toEqual([reset]);
});
