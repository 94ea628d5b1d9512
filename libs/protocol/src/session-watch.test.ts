import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { defaultServerLimits } from './server-limits.ts';
import { SessionWatch, type WatchedSession } from './session-watch.ts';

/** A session whose other side is under control of the test, and what was told of it. */
class TestSession extends EventEmitter {
  readonly socket: WatchedSession['socket'] = {};
  readonly told: string[] = [];
  nowMs = 0;
  #answer: (error: Error | null) => void = () => {};

  constructor() {
    super();
    const limits = {
      ...defaultServerLimits,
      maxStreamsPerConnection: 4,
      idleMs: 600,
      keepaliveTimeoutMs: 20,
    };
    const session = this as unknown as WatchedSession;
    new SessionWatch(
      session,
      limits,
      { reached: (limit) => this.told.push(limit), silent: () => this.told.push('silent') },
      () => this.nowMs,
    );
  }

  ping(done: (error: Error | null, durationMs: number, payload: Buffer) => void): boolean {
    this.#answer = (error) => done(error, 1, Buffer.alloc(8));
    return true;
  }

  answer(error: Error | null = null): void {
    this.#answer(error);
  }

  call(): EventEmitter {
    const stream = new EventEmitter();
    this.emit('stream', stream);
    return stream;
  }
}

test('a connection all of whose calls are taken has reached its limit, each time anew', () => {
  const session = new TestSession();
  const calls = [session.call(), session.call(), session.call()];
  expect(session.told).toEqual([]);
  session.call();
  expect(session.told).toEqual(['concurrentStreams']);
  calls[0]?.emit('close');
  session.call();
  expect(session.told).toEqual(['concurrentStreams', 'concurrentStreams']);
});

test('one that ends while an answer to a ping is overdue was silent', () => {
  const session = new TestSession();
  session.ping(() => {});
  session.nowMs = 20;
  session.emit('close');
  expect(session.told).toEqual(['keepaliveTimeoutMs', 'silent']);
});

test.each([
  ['was answered', 0, 100],
  ['is not due yet', undefined, 10],
])('one that ends when its ping %s was not', (_, answeredAtMs, endsAtMs) => {
  const session = new TestSession();
  const errors: unknown[] = [];
  session.ping((error) => errors.push(error));
  if (answeredAtMs !== undefined) session.answer();
  session.nowMs = endsAtMs;
  session.emit('close');
  expect(session.told).toEqual([]);
  expect(errors).toEqual(answeredAtMs === undefined ? [] : [null]);
});

test('one without a call for so long was idle, and one with a call was not', () => {
  const idle = new TestSession();
  idle.nowMs = 100;
  const call = idle.call();
  idle.nowMs = 200;
  call.emit('close');
  idle.nowMs = 800;
  idle.emit('close');
  expect(idle.told).toEqual(['idleMs']);
  const busy = new TestSession();
  busy.call();
  busy.nowMs = 800;
  busy.emit('close');
  expect(busy.told).toEqual([]);
  const brief = new TestSession();
  brief.nowMs = 100;
  brief.emit('close');
  expect(brief.told).toEqual([]);
});
