import { type DataResponse, JobSetup } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { Payload, StorageError, StoredBlock } from '../payloads/payload.ts';
import { WorkParcel } from './work-parcel.ts';

const block = (first: number, count: number, bytes = 10) =>
  new StoredBlock(first, count, new Payload(new Uint8Array(bytes)));
const work = (attempt: number, jobId: string, first: number, count: number) => ({
  attempt,
  jobId,
  first,
  count,
  marksStarts: false,
  tryNumber: 1,
  groupSlots: 0,
});
const setup = (jobId: string) => (): JobSetup => JobSetup.fromPartial({ jobId });

/** A message in the order in which the agent applies it. */
function inWords(message: DataResponse): string[] {
  return [
    ...(message.takenSequence === 0 ? [] : [`taken ${message.takenSequence}`]),
    ...message.setups.map(({ jobId }) => `setup ${jobId}`),
    ...message.blocks.flatMap(({ jobId, blocks }) =>
      blocks.map(({ first, more }) => `block ${jobId} ${first}${more ? '…' : ''}`),
    ),
    ...message.dispatches.map(({ attempt }) => `run ${attempt}`),
    ...message.forgetBlocks.map(({ jobId, before }) => `forget ${jobId} before ${before}`),
    ...message.forgetJobIds.map((jobId) => `forget ${jobId}`),
  ];
}
/** All messages that wait. */
function messagesOf(parcel: WorkParcel): DataResponse[] {
  const messages: DataResponse[] = [];
  for (let next = parcel.next(); next !== undefined; next = parcel.next()) messages.push(next);
  return messages;
}
const all = (parcel: WorkParcel): string[] => messagesOf(parcel).flatMap(inWords);

test('an agent is told of a job once, and sent a block once', () => {
  const parcel = new WorkParcel(1000);
  const [one, two] = [block(0, 10), block(10, 10)];
  parcel.dispatch(work(1, 'a', 0, 5), setup('a'), [one]);
  parcel.dispatch(work(2, 'a', 5, 10), setup('a'), [one, two]);
  expect(all(parcel)).toEqual(['setup a', 'block a 0', 'block a 10', 'run 1', 'run 2']);
  parcel.dispatch(work(3, 'a', 15, 5), setup('a'), [two]);
  expect(all(parcel)).toEqual(['run 3']);
});

test('work comes after its blocks, in whatever message they are', () => {
  const parcel = new WorkParcel(25);
  parcel.dispatch(work(1, 'a', 0, 30), setup('a'), [block(0, 10), block(10, 10), block(20, 10)]);
  expect(messagesOf(parcel).map(inWords)).toEqual([
    ['setup a', 'block a 0', 'block a 10'],
    ['block a 20', 'run 1'],
  ]);
});

test('a block bigger than a message goes in parts', () => {
  const parcel = new WorkParcel(100);
  parcel.dispatch(work(1, 'a', 0, 1), setup('a'), [block(0, 1, 250)]);
  const messages = messagesOf(parcel);
  expect(messages.flatMap(inWords)).toEqual(['setup a', 'block a 0…', 'block a 0…', 'block a 0', 'run 1']);
  expect(messages.flatMap(({ blocks }) => blocks[0]?.blocks[0]?.totalBytes)).toEqual([250, 0, 0]);
});

test('a job that is over is forgotten, and told anew if it comes again', () => {
  const parcel = new WorkParcel(1000);
  parcel.dispatch(work(1, 'a', 0, 1), setup('a'), [block(0, 1)]);
  messagesOf(parcel);
  parcel.forgetJob('a');
  parcel.forgetJob('b');
  parcel.dispatch(work(2, 'a', 0, 1), setup('a'), [block(0, 1)]);
  expect(all(parcel)).toEqual(['forget a', 'setup a', 'block a 0', 'run 2']);
});

test('what a job still had on its way when it ended is not sent', () => {
  const parcel = new WorkParcel(1000);
  parcel.dispatch(work(1, 'a', 0, 1), setup('a'), [block(0, 1)]);
  parcel.dispatch(work(2, 'b', 0, 1), setup('b'), [block(0, 1)]);
  // Whoever waits for the end of that work waits for nobody.
  expect(parcel.forgetJob('a')).toEqual([1]);
  expect(all(parcel)).toEqual(['setup b', 'block b 0', 'run 2']);
  expect(parcel.forgetJob('b')).toEqual([]);
  expect(all(parcel)).toEqual(['forget b']);
  expect(parcel.isEmpty).toBe(true);
});

test('a block stays readable until it is out, and is let go then', () => {
  const parcel = new WorkParcel(100);
  let freed = 0;
  const payload = new Payload(new Uint8Array(250), () => {
    freed += 1;
  });
  payload.retain();
  parcel.dispatch(work(1, 'a', 0, 1), setup('a'), [new StoredBlock(0, 1, payload)]);
  payload.release();
  expect(freed).toBe(0);
  expect(all(parcel)).toContain('block a 0');
  expect(freed).toBe(1);
});

test('a session that is over lets go of everything', () => {
  const parcel = new WorkParcel(100);
  let freed = 0;
  const payload = new Payload(new Uint8Array(10), () => {
    freed += 1;
  });
  parcel.dispatch(work(1, 'a', 0, 1), setup('a'), [new StoredBlock(0, 1, payload)]);
  parcel.clear();
  expect([freed, parcel.next()]).toEqual([1, undefined]);
});

test('what cannot be read back is told when its turn comes; what is before it goes out', () => {
  const parcel = new WorkParcel(100);
  const lost = new Payload(new Uint8Array(10));
  lost.spill(() => ({
    read: () => {
      throw new StorageError('b', 'the disk is broken');
    },
    free: () => {},
  }));
  parcel.dispatch(work(1, 'a', 0, 1), setup('a'), [block(0, 1)]);
  parcel.dispatch(work(2, 'b', 0, 1), setup('b'), [new StoredBlock(0, 1, lost)]);
  expect(inWords(parcel.next() as DataResponse)).toEqual(['setup a', 'block a 0', 'run 1']);
  expect(inWords(parcel.next() as DataResponse)).toEqual(['setup b']);
  expect(() => parcel.next()).toThrow('the disk is broken');
  parcel.forgetJob('b');
  expect(all(parcel)).toEqual(['forget b']);
});

test('blocks that are needed no more are forgotten now and then, up to the first that is', () => {
  const parcel = new WorkParcel(10_000);
  const blocks = Array.from({ length: 40 }, (_, at) => block(at * 10, 10));
  parcel.dispatch(work(1, 'a', 0, 400), setup('a'), blocks);
  messagesOf(parcel);
  parcel.released('a', blocks.slice(1, 15));
  expect(all(parcel)).toEqual([]);
  parcel.released('a', [blocks[0] as (typeof blocks)[0], ...blocks.slice(15, 30)]);
  expect(all(parcel)).toEqual(['forget a before 300']);
});

test('what was taken is said first', () => {
  const parcel = new WorkParcel(1000);
  parcel.dispatch(work(1, 'a', 0, 1), setup('a'), [block(0, 1)]);
  parcel.taken(7);
  parcel.taken(8);
  expect(all(parcel)).toEqual(['taken 8', 'setup a', 'block a 0', 'run 1']);
});

test('a block that is cut is told of once, one of just the size of a message not', () => {
  let cuts = 0;
  const parcel = new WorkParcel(100, () => {
    cuts += 1;
  });
  const told = [99, 100, 101, 350].map((bytes, at) => {
    parcel.dispatch(work(at + 1, 'a', at, 1), setup('a'), [block(at, 1, bytes)]);
    messagesOf(parcel);
    return cuts;
  });
  expect(told).toEqual([0, 0, 1, 2]);
});
