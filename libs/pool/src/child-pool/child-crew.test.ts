import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import type { Launcher } from '../launchers/launcher.ts';
import { ChildCrew } from './child-crew.ts';
import { blockOf, fixture, setupOf } from './child-pool.testkit.ts';
import type { ChunkRequest } from './chunk-request.ts';

/** Starts nothing: what a child is sent is counted, and looked at whenever a further one is to be started. */
class CountingLauncher implements Launcher {
  /** Bytes that each child has been sent. */
  readonly sent: number[] = [];
  /** The same, as of the moment in which the last one was started. */
  sentBefore: readonly number[] = [];

  launch(): ReturnType<Launcher['launch']> {
    this.sentBefore = [...this.sent];
    const at = this.sent.push(0) - 1;
    const channel = new Duplex({
      read: () => {},
      write: (bytes: Buffer, _, done) => {
        this.sent[at] = (this.sent[at] ?? 0) + bytes.length;
        done();
      },
    });
    const [stdout, stderr] = [undefined, undefined];
    return { pid: undefined, channel, stdout, stderr, kill: () => {}, keepAlive: () => {} };
  }
}

const request: ChunkRequest = {
  id: 1,
  setup: setupOf(),
  task: fixture('addOne'),
  job: 'job',
  encoding: 'v8',
  spread: false,
  first: 0,
  count: 1,
  blocks: [blockOf([1])],
  marksStarts: false,
  tryNumber: 1,
  maxResultBytes: 1_024,
};

test('what a child was ordered is on its way before the next one is started, which takes its time', async () => {
  const launcher = new CountingLauncher();
  const nobody = { frame() {}, broken() {}, lost() {}, print() {}, exited() {} };
  const crew = new ChildCrew(launcher, nobody);
  crew.spawn(1, request.setup, request);
  await new Promise(process.nextTick);
  const [setUp = 0] = launcher.sent;
  crew.run(1, request, { first: 0, count: 1 }, false);
  crew.spawn(2, request.setup, request);
  expect(launcher.sentBefore[0]).toBeGreaterThan(setUp);
  const [ordered] = launcher.sent;
  await new Promise(process.nextTick);
  expect(launcher.sent[0]).toBe(ordered);
});
