import { expect, test } from 'vitest';
import { type MessageSink, StreamWriter } from './stream-writer.ts';

/** A peer that takes messages when it is told to. */
class SlowPeer implements MessageSink<number> {
  readonly #flushes: (() => void)[] = [];
  readonly given: number[] = [];
  ended = false;

  write(message: number, onFlushed: () => void): void {
    if (this.ended) throw new Error('write after end');
    this.given.push(message);
    this.#flushes.push(onFlushed);
  }

  end(): void {
    this.ended = true;
  }

  take(count: number): void {
    for (const flush of this.#flushes.splice(0, count)) flush();
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

test('a peer that takes nothing is given eight messages, and the rest waits in order', () => {
  const peer = new SlowPeer();
  const writer = new StreamWriter(peer);
  for (const message of upTo(20)) writer.write(message);
  expect([peer.given, writer.ready, writer.queued]).toEqual([upTo(8), false, 12]);
  peer.take(3);
  expect([peer.given, writer.queued]).toEqual([upTo(11), 9]);
  for (const _ of upTo(20)) peer.take(1);
  expect([peer.given, writer.ready, writer.queued]).toEqual([upTo(20), true, 0]);
});

test('a source is asked for more when everything that waited is out', () => {
  const peer = new SlowPeer();
  let asked = 0;
  const writer = new StreamWriter(peer, () => {
    asked += 1;
  });
  for (const message of upTo(9)) writer.write(message);
  peer.take(1);
  expect(asked).toBe(0);
  peer.take(1);
  expect(asked).toBe(1);
});

test('a source that writes when it is asked keeps the stream full', () => {
  const peer = new SlowPeer();
  let next = 0;
  const fill = (): void => {
    while (writer.ready && next < 100) writer.write(next++);
  };
  const writer = new StreamWriter(peer, fill);
  fill();
  for (const _ of upTo(200)) peer.take(1);
  expect([peer.given, writer.queued]).toEqual([upTo(100), 0]);
});

test('the end comes after everything that waits', () => {
  const peer = new SlowPeer();
  const writer = new StreamWriter(peer);
  for (const message of upTo(10)) writer.write(message);
  writer.end();
  writer.write(99);
  expect(peer.ended).toBe(false);
  peer.take(2);
  expect([peer.given, peer.ended]).toEqual([upTo(10), true]);
});

test('with nothing waiting the end comes at once', () => {
  const peer = new SlowPeer();
  const writer = new StreamWriter(peer);
  writer.write(1);
  writer.end();
  peer.take(1);
  expect(peer.ended).toBe(true);
});

test('it says for how long the peer has taken nothing', async () => {
  const peer = new SlowPeer();
  const writer = new StreamWriter(peer);
  for (const message of upTo(7)) writer.write(message);
  expect(writer.blockedForMs).toBe(0);
  writer.write(7);
  await expect.poll(() => writer.blockedForMs).toBeGreaterThan(0);
  peer.take(1);
  expect(writer.blockedForMs).toBe(0);
});
