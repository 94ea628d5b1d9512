/** Who gets the outcomes of a job, from where on, and what is acknowledged. */
import { expect, test } from 'vitest';
import { CoordinatorWorld, running } from './coordinator-machine.testkit.ts';

test('outcomes are offered to the reader as they are delivered, and the end after the last of them', () => {
  const world = running();
  const commands = world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 });
  expect(world.runAll(commands)).toContainEqual({ type: 'offerOutcomes', call: 12, job: 'job', upTo: 3 });
  expect(world.endInput(11, 3)).toEqual([
    { type: 'endWriter', call: 11, acceptedItems: 3 },
    { type: 'finishJob', job: 'job', ending: { state: 'completed', succeeded: 3, failed: 0 } },
    { type: 'endReader', call: 12, job: 'job' },
  ]);
});

test('a reader that comes back goes on at its own position; until it is acknowledged the same is there again', () => {
  const world = running();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 10, bytes: 10 }));
  world.do({ type: 'readerClosed', call: 12 });
  world.acknowledge(2, 4);
  expect(world.read(13, 4)).toEqual([
    { type: 'bindReader', call: 13, job: 'job', fromPosition: 4 },
    { type: 'offerOutcomes', call: 13, job: 'job', upTo: 10 },
  ]);
  world.do({ type: 'readerClosed', call: 13 });
  expect(world.read(14, 7)).toContainEqual({ type: 'offerOutcomes', call: 14, job: 'job', upTo: 10 });
});

test('what was acknowledged cannot be read again', () => {
  const world = running();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 10, bytes: 10 }));
  world.acknowledge(2, 4);
  expect(world.read(13, 3)).toEqual([
    { type: 'refuse', call: 13, refusal: { code: 'RESULT_ACKNOWLEDGED', cursor: 4, index: 3 } },
  ]);
});

test('a reader that claims more than was delivered is refused', () => {
  const world = running();
  expect(world.read(13, 1)).toEqual([
    {
      type: 'refuse',
      call: 13,
      refusal: {
        code: 'REQUEST_INVALID',
        field: 'from_position',
        reason: 'is 1, but 0 outcomes were delivered',
      },
    },
  ]);
});

test('only what a reader was offered can be acknowledged', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job');
  world.write(11);
  world.agent();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 }));
  expect(world.acknowledge(2, 1)).toMatchObject([{ type: 'refuse', refusal: { code: 'REQUEST_INVALID' } }]);
  world.read(12);
  expect(world.acknowledge(3, 4)).toMatchObject([{ type: 'refuse', refusal: { code: 'REQUEST_INVALID' } }]);
  expect(world.acknowledge(4, 3)).toEqual([{ type: 'answer', call: 4 }]);
});

test('an acknowledgement that comes twice, or late, changes nothing and is answered', () => {
  const world = running();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 10, bytes: 10 }));
  world.acknowledge(2, 6);
  expect(world.acknowledge(3, 6)).toEqual([{ type: 'answer', call: 3 }]);
  expect(world.acknowledge(4, 2)).toEqual([{ type: 'answer', call: 4 }]);
  expect(world.machine.job('job')?.acknowledged).toBe(6);
});

test('results go only to the session that is bound: one that was replaced gets nothing more', () => {
  const world = running();
  expect(world.read(20, 0, 'second')).toEqual([
    {
      type: 'refuse',
      call: 12,
      refusal: { code: 'STREAM_REPLACED', what: 'ReadResults', job: 'job' },
    },
    { type: 'bindReader', call: 20, job: 'job', fromPosition: 0 },
  ]);
  const commands = world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 });
  const offers = world.runAll(commands).filter(({ type }) => type === 'offerOutcomes');
  expect(offers.at(-1)).toEqual({ type: 'offerOutcomes', call: 20, job: 'job', upTo: 3 });
  expect(offers).not.toContainEqual(expect.objectContaining({ call: 12 }));
});

test('a stream that comes late, after a newer one of its session, is refused and takes nobody’s place', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job');
  const replaced = (call: number, what: string) => ({
    type: 'refuse',
    call,
    refusal: { code: 'STREAM_REPLACED', what, job: 'job' },
  });
  world.read(12, 0, 's', 'job', 3);
  world.write(13, 0, 'job', 's', 4);
  expect(world.read(20, 0, 's', 'job', 1)).toEqual([replaced(20, 'ReadResults')]);
  expect(world.write(21, 0, 'job', 's', 2)).toEqual([replaced(21, 'PushItems')]);
  expect(world.machine.job('job')).toMatchObject({ reader: 12, writer: 13 });
  // Also while nothing is bound: the newer one may have broken since, and a still newer one is to come.
  world.do({ type: 'readerClosed', call: 12 });
  expect(world.read(22, 0, 's', 'job', 1)).toEqual([replaced(22, 'ReadResults')]);
  expect(world.read(23, 0, 's', 'job', 5)).toContainEqual(expect.objectContaining({ type: 'bindReader' }));
  // Another client, or one that does not count its streams, takes over whenever it comes.
  expect(world.read(24, 0, 'other', 'job', 1)).toContainEqual(replaced(23, 'ReadResults'));
  expect(world.read(25, 0, 'other', 'job')).toContainEqual(replaced(24, 'ReadResults'));
});

test('the late acknowledgement of a session that was replaced is refused, and its loss costs the new one nothing', () => {
  const world = new CoordinatorWorld();
  world.request(1, 'job');
  world.write(11);
  world.read(12, 0, 'first');
  world.agent();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 }));
  world.read(20, 0, 'second');
  expect(world.acknowledge(2, 3, 'first')).toMatchObject([{ refusal: { code: 'STREAM_REPLACED' } }]);
  world.do({ type: 'readerClosed', call: 12 });
  expect(world.machine.job('job')).toMatchObject({ acknowledged: 0, reader: 20 });
});

test('what was delivered and not taken when the job ended can be acknowledged still', () => {
  const world = running();
  world.runAll(world.all({ type: 'blockReceived', call: 11, first: 0, count: 3, bytes: 3 }));
  world.endInput(11, 3);
  const event = { type: 'acknowledgementReceived', call: 2, job: 'job', session: '', position: 3 } as const;
  expect(world.all(event)).toEqual([
    { type: 'releaseResults', job: 'job', position: 3 },
    { type: 'answer', call: 2 },
  ]);
});
