import { EventEmitter } from 'node:events';
import type { ServiceError } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import {
  type ControlRequest,
  type ControlResponse,
  type DataRequest,
  DataResponse,
  Joined,
} from '@shoal/protocol';
import { expect, test } from 'vitest';
import type { Connection } from './connection.ts';
import { Link } from './link.ts';

/** One side of a stream that says that it is full whenever the test wants it to be. */
class FakeStream<T> extends EventEmitter {
  readonly written: T[] = [];
  hasRoom = true;
  isEnded = false;
  isCancelled = false;

  write(message: T): boolean {
    this.written.push(message);
    return this.hasRoom;
  }

  end(): void {
    this.isEnded = true;
  }

  cancel(): void {
    this.isCancelled = true;
  }

  drained(): void {
    this.hasRoom = true;
    this.emit('drain');
  }
}

function linkWithStreams() {
  const control = new FakeStream<ControlRequest>();
  const data = new FakeStream<DataRequest>();
  const heard: string[] = [];
  let isClosed = false;
  const connection = {
    address: 'here:1',
    agents: { control: () => control, data: () => data },
    errorOf: ({ message }: ServiceError) => new ShoalError('INTERNAL', { reason: message }),
    close: () => {
      isClosed = true;
    },
  };
  const link = new Link(connection as unknown as Connection, {
    happened: (news, error) => heard.push(error === undefined ? news.type : `${news.type} ${error.code}`),
    received: () => heard.push('received'),
    groupsForgotten: (ids) => heard.push(`forgotten ${ids.join()}`),
    serviceChanged: (inService) => heard.push(inService ? 'resumed' : 'drained'),
  });
  return { link, control, data, heard, isClosed: () => isClosed };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const batch = (sequence: number): DataRequest => ({ sequence, reports: [], prints: [] });

test('a message is asked for once in a turn of the event loop', async () => {
  const { link, heard } = linkWithStreams();
  link.openData(1, 1);
  link.requestSend();
  link.requestSend();
  expect(heard).toEqual([]);
  await nextTurn();
  expect(heard).toEqual(['sendGranted']);
});

test('a data stream that is full is written to when it has room again, and not before', async () => {
  const { link, data, heard } = linkWithStreams();
  data.hasRoom = false;
  link.openData(1, 1);
  link.requestSend();
  await nextTurn();
  expect(heard).toEqual([]);
  data.drained();
  expect(heard).toEqual(['sendGranted']);
  data.hasRoom = false;
  link.send(batch(1));
  link.requestSend();
  await nextTurn();
  expect(heard).toEqual(['sendGranted']);
  expect(data.written.map(({ sequence }) => sequence)).toEqual([0, 1]);
});

test('while the stream has room, one message follows the other in the same turn', async () => {
  const { link, data, heard } = linkWithStreams();
  let left = 3;
  const granted = heard.push.bind(heard);
  heard.push = (...what) => {
    if (left-- > 0) {
      link.send(batch(3 - left));
      link.requestSend();
    }
    return granted(...what);
  };
  link.openData(1, 1);
  link.requestSend();
  await nextTurn();
  expect(data.written.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3]);
});

test('a control stream that is full is told of, and when it has room again', () => {
  const { link, control, heard } = linkWithStreams();
  control.hasRoom = false;
  link.announceDrain();
  link.announceDrain();
  control.drained();
  expect(heard).toEqual(['controlRoomChanged', 'controlRoomChanged']);
});

test('what the coordinator says is told in its order', () => {
  const { control, data, heard, link } = linkWithStreams();
  const messages: NonNullable<ControlResponse['message']>[] = [
    { $case: 'joined', value: Joined.fromPartial({}) },
    { $case: 'revoke', value: { attempt: 4, reason: 1 } },
    { $case: 'recall', value: { attempt: 4 } },
    { $case: 'forgetGroups', value: { groupIds: ['a', 'b'] } },
    { $case: 'drain', value: {} },
    { $case: 'resume', value: {} },
    { $case: 'sessionEnded', value: { reason: 2 } },
  ];
  for (const message of messages) control.emit('data', { message });
  link.openData(1, 1);
  data.emit('data', DataResponse.fromPartial({}));
  expect(heard).toEqual([
    'joined',
    'attemptRevoked',
    'attemptRecalled',
    'forgotten a,b',
    'drained',
    'resumed',
    'sessionEnded',
    'received',
  ]);
});

test('either stream’s end is the end of the link, told once', () => {
  for (const which of ['control', 'data'] as const) {
    const { link, control, data, heard } = linkWithStreams();
    link.openData(1, 1);
    ({ control, data })[which].emit('end');
    control.emit('error', new Error('late'));
    expect(heard).toEqual(['linkLost CONNECTION_LOST']);
    expect([control.isCancelled, data.isCancelled]).toEqual([true, true]);
  }
});

test('what a stream failed with is told', () => {
  const { control, heard } = linkWithStreams();
  control.emit('error', new Error('out of order'));
  expect(heard).toEqual(['linkLost INTERNAL']);
});

test('the end of data that was asked for is the proof that all of it was taken', () => {
  const { link, control, data, heard } = linkWithStreams();
  link.openData(1, 1);
  link.finishData();
  expect(data.isEnded).toBe(true);
  data.emit('end');
  link.leave();
  expect([heard, control.isEnded]).toEqual([['dataFinished'], true]);
  expect(control.written.at(-1)?.message?.$case).toBe('leaving');
});

test('a link that was cut tells nothing more', async () => {
  const { link, control, data, heard, isClosed } = linkWithStreams();
  link.openData(1, 1);
  link.requestSend();
  link.cut();
  for (const stream of [control, data]) {
    stream.emit('data', { message: { $case: 'drain', value: {} } });
    stream.emit('end');
    stream.emit('error', new Error('cancelled'));
    stream.drained();
  }
  await nextTurn();
  expect([heard, isClosed()]).toEqual([[], true]);
});
