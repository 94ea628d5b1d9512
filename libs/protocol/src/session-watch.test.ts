import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { triedLimit } from '../../../test/limit-edges.ts';
import { defaultServerLimits } from './server-limits.ts';
import { SessionWatch, type WatchedSession } from './session-watch.ts';

/** A session whose other side is under control of the test, and what was told of it. */
class TestSession extends EventEmitter {
  readonly socket: WatchedSession['socket'] = {};
  readonly told: string[] = [];
  readonly said: string[] = [];
  nowMs = 0;
  state: WatchedSession['state'] = {};
  readonly watch: SessionWatch;
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
    this.watch = new SessionWatch(
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

  goaway(_code?: number, _last?: number, data?: Uint8Array): void {
    this.said.push(Buffer.from(data ?? []).toString());
  }

  destroy(): void {
    this.said.push('destroyed');
  }

  answer(error: Error | null = null): void {
    this.#answer(error);
  }

  call(state: { localWindowSize?: number; remoteClose?: number } = {}): EventEmitter {
    const stream = Object.assign(new EventEmitter(), { state });
    this.emit('stream', stream);
    return stream;
  }
}

test('a connection all of whose calls are taken has reached its limit, each time anew', () => {
  const session = new TestSession();
  const calls = [session.call(), session.call(), session.call()];
  expect(session.told).toEqual([]);
  triedLimit('concurrentStreams', calls.length, 4);
  session.call();
  expect(session.told).toEqual(['concurrentStreams']);
  triedLimit('concurrentStreams', calls.length + 1, 4);
  calls[0]?.emit('close');
  session.call();
  expect(session.told).toEqual(['concurrentStreams', 'concurrentStreams']);
});

test('one that ends while an answer to a ping is overdue was silent', () => {
  const session = new TestSession();
  session.ping(() => {});
  session.nowMs = 20;
  session.emit('close');
  expect(session.told).toEqual(['keepaliveMs', 'keepaliveTimeoutMs', 'silent']);
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
  expect(session.told).toEqual(['keepaliveMs']);
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

test('calls that Node refused leave gaps in their numbers; one that is on its way still is not taken for one', () => {
  const session = new TestSession();
  const refused = (): number => session.told.filter((limit) => limit === 'sessionMemoryBytes').length;
  const looks = (lastProcStreamID: number): number => {
    session.state = { lastProcStreamID };
    session.watch.look();
    return refused();
  };
  const calls = [session.call(), session.call()];
  expect(looks(3), 'both were taken').toBe(0);
  expect(looks(5), 'a third one has come half').toBe(0);
  calls.push(session.call());
  expect(looks(5), 'it was taken').toBe(0);
  expect(looks(11), 'three more; the last one may be on its way').toBe(2);
  expect(looks(11), 'it is not').toBe(3);
  expect(looks(11), 'nothing new').toBe(3);
  session.state = { lastProcStreamID: 15 };
  for (const call of calls) call.emit('close');
  expect(refused(), 'looked at when its last call ends').toBe(4);
  session.state = {};
  session.watch.look();
  expect(refused(), 'nothing is known of a closed one').toBe(4);
});

test('a session that Node ends after too many refused calls counts as one more, and any other error as none', () => {
  for (const [errno, told] of [
    [-902, ['sessionMemoryBytes']],
    [-505, []],
  ] as const) {
    const session = new TestSession();
    session.emit('error', Object.assign(new Error('The user callback function failed'), { errno }));
    expect(session.told).toEqual(told);
  }
});

test('a call waits that may send nothing more before it is read; one that has sent all does not', () => {
  const session = new TestSession();
  session.call({ localWindowSize: 1 });
  session.call({ localWindowSize: 0, remoteClose: 1 });
  session.call({});
  expect(session.watch.waitingCalls).toBe(0);
  const waiting = session.call({ localWindowSize: 0 });
  expect(session.watch.waitingCalls).toBe(1);
  waiting.emit('close');
  expect(session.watch.waitingCalls).toBe(0);
});

test('a session that is closed for a limit says which; one that is closed for something else says nothing of that', () => {
  const idle = new TestSession();
  idle.nowMs = 600;
  idle.goaway();
  expect(idle.said).toEqual(['LIMIT_REACHED idleMs 600\n']);
  const silent = new TestSession();
  silent.ping(() => {});
  silent.nowMs = 20;
  silent.destroy();
  expect(silent.said).toEqual(['LIMIT_REACHED keepaliveTimeoutMs 20\n', 'destroyed']);
  const other = new TestSession();
  other.call();
  other.nowMs = 1_000;
  other.goaway();
  other.destroy();
  expect(other.said).toEqual(['', 'destroyed']);
});
