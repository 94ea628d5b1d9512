import { EventEmitter } from 'node:events';
import { credentials, Metadata, Server, ServerCredentials, type ServerReadableStream } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { clientOptions, serverOptions } from './channel-options.ts';
import { FlowControlledWriter, type WritableCall } from './flow-controlled-writer.ts';
import { PushItemsRequest, type PushItemsResponse } from './gen/shoal/v1/job.ts';
import { defaultServerLimits } from './server-limits.ts';
import { JobServiceClient, JobServiceService } from './services.ts';

/** A stream that takes `room` messages before it asks for a pause. */
class FakeCall extends EventEmitter implements WritableCall<number> {
  readonly taken: number[] = [];
  room: number;
  ended = false;

  constructor(room: number) {
    super();
    this.room = room;
  }

  write(message: number): boolean {
    this.taken.push(message);
    this.room -= 1;
    return this.room > 0;
  }

  end(): void {
    this.ended = true;
  }
}

/** Whether a promise has settled, after everything that can run has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const mark = (): void => {
    done = true;
  };
  promise.then(mark, mark);
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

describe('a writer', () => {
  test('goes on at once while the peer keeps up', async () => {
    const call = new FakeCall(10);
    const writer = new FlowControlledWriter(call);
    await writer.write(1);
    await writer.write(2);
    expect(call.taken).toEqual([1, 2]);
    expect(writer.blocked).toBe(false);
  });

  test('waits for drain when the peer is behind', async () => {
    const call = new FakeCall(1);
    const writer = new FlowControlledWriter(call);
    const written = writer.write(1);
    expect(await settled(written)).toBe(false);
    expect(writer.blocked).toBe(true);
    call.room = 5;
    call.emit('drain');
    expect(await settled(written)).toBe(true);
    await expect(written).resolves.toBeUndefined();
  });

  test.each(['error', 'cancelled', 'close'])(
    'that waits is told when the stream ends with %s',
    async (event) => {
      const call = new FakeCall(1);
      const writer = new FlowControlledWriter(call);
      const written = writer.write(1);
      call.emit(event, new Error('reset'));
      await expect(written).rejects.toThrow(/reset|cancelled|closed/);
      await expect(writer.write(2)).rejects.toBe(writer.ended);
      expect(call.taken).toEqual([1]);
    },
  );

  test('keeps the first reason', async () => {
    const call = new FakeCall(1);
    const writer = new FlowControlledWriter(call);
    call.emit('error', new Error('reset'));
    call.emit('close');
    await expect(writer.ready()).rejects.toThrow('reset');
  });

  test('ends its stream once, and takes nothing afterwards', async () => {
    const call = new FakeCall(5);
    const writer = new FlowControlledWriter(call);
    writer.end();
    writer.end();
    expect(call.ended).toBe(true);
    await expect(writer.write(1)).rejects.toThrow('end() was called');
  });
});

test('a server that does not read stops the producer within a few MiB', async () => {
  let reader: ServerReadableStream<PushItemsRequest, PushItemsResponse> | undefined;
  const arrived = Promise.withResolvers<void>();
  const server = new Server(serverOptions(defaultServerLimits));
  server.addService(JobServiceService, {
    pushItems: (call: ServerReadableStream<PushItemsRequest, PushItemsResponse>) => {
      reader = call;
      arrived.resolve();
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const client = new JobServiceClient(`127.0.0.1:${port}`, credentials.createInsecure(), clientOptions);
  const call = client.pushItems(new Metadata(), () => {});
  const writer = new FlowControlledWriter(call);

  const partBytes = 256 * 1024;
  const message = PushItemsRequest.create({
    message: { $case: 'block', value: { first: 0, count: 1, payload: new Uint8Array(partBytes) } },
  });
  let written = 0;
  const producing = (async () => {
    for (; written < 1000; written++) await writer.write(message);
  })().catch(() => {});

  // Still: nothing was written for 300 ms. Time is the subject: nothing but time tells that a writer does not go on.
  await arrived.promise;
  const deadlineMs = performance.now() + 30_000;
  for (let before = -1; before !== written; ) {
    if (performance.now() > deadlineMs) throw new Error(`After 30 s it still writes: ${written} messages.`);
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(written).toBeLessThan(64);

  // Once the server reads, the rest follows.
  reader?.resume();
  await producing;
  expect(written).toBe(1000);
  call.on('error', () => {});
  call.cancel();
  client.close();
  server.forceShutdown();
});
