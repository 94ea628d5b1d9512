import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { type MessageSink, StreamWriter } from './stream-writer.ts';

/** A peer that takes `room` messages and then wants to be waited for. */
class SlowPeer extends EventEmitter implements MessageSink<string> {
  readonly taken: string[] = [];
  ended = false;
  room: number;

  constructor(room: number) {
    super();
    this.room = room;
  }

  write(message: string): boolean {
    if (this.ended) throw new Error('write after end');
    this.taken.push(message);
    this.room -= 1;
    return this.room > 0;
  }

  end(): void {
    this.ended = true;
  }

  take(room: number): void {
    this.room = room;
    this.emit('drain');
  }
}

test('what a slow peer cannot take waits, in order', () => {
  const peer = new SlowPeer(2);
  const writer = new StreamWriter(peer);
  for (const message of ['a', 'b', 'c', 'd', 'e']) writer.write(message);
  expect([peer.taken, writer.ready, writer.queued]).toEqual([['a', 'b'], false, 3]);
  peer.take(2);
  expect([peer.taken, writer.ready, writer.queued]).toEqual([['a', 'b', 'c', 'd'], false, 1]);
  peer.take(2);
  expect([peer.taken, writer.ready, writer.queued]).toEqual([['a', 'b', 'c', 'd', 'e'], true, 0]);
});

test('a source is asked for more only when everything is out', () => {
  const peer = new SlowPeer(1);
  let asked = 0;
  const writer = new StreamWriter(peer, () => {
    asked += 1;
  });
  writer.write('a');
  writer.write('b');
  peer.take(1);
  expect(asked).toBe(0);
  peer.take(1);
  expect(asked).toBe(1);
});

test('the end comes after everything that waits', () => {
  const peer = new SlowPeer(1);
  const writer = new StreamWriter(peer);
  writer.write('a');
  writer.write('b');
  writer.end();
  writer.write('too late');
  expect(peer.ended).toBe(false);
  peer.take(5);
  expect([peer.taken, peer.ended]).toEqual([['a', 'b'], true]);
});
