import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { Payload, StoredBlock } from '../payloads/payload.ts';
import { ShardTraces } from './shard-trace.ts';

const dispatch = {
  type: 'dispatch',
  session: 1,
  agent: 'agent-1',
  attempt: 7,
  job: 'job-1',
  first: 10,
  count: 5,
  marksStarts: false,
  tryNumber: 1,
} as const;
const block = new StoredBlock(0, 20, new Payload(new Uint8Array(100)));

function heardOf(act: (traces: ShardTraces) => void): unknown[] {
  const heard: unknown[] = [];
  const listen = (message: unknown): unknown => heard.push(message);
  subscribe('shoal.shard', listen);
  try {
    act(new ShardTraces());
  } finally {
    unsubscribe('shoal.shard', listen);
  }
  return heard;
}

test('whoever listens to shoal.shard is told what each attempt cost', () => {
  const heard = heardOf((traces) => {
    traces.dispatched(dispatch, [block]);
    traces.succeeded(7, 1.5, 40);
    traces.succeeded(7, 0.5, 2);
    traces.ended(7, { kind: 'finished' });
  });
  const facts = { job: 'job-1', attempt: 7, agent: 'agent-1', first: 10, count: 5 };
  const times = { queuedMs: expect.any(Number), awayMs: expect.any(Number) };
  expect(heard).toEqual([{ ...facts, ...times, ending: 'finished', runMs: 2, resultBytes: 42 }]);
});

test('an attempt that was taken back is not told of, and neither is what began while nobody listened', () => {
  const unheard = new ShardTraces();
  unheard.dispatched(dispatch, [block]);
  const heard = heardOf((traces) => {
    traces.dispatched(dispatch, [block]);
    traces.forget(7);
    traces.ended(7, { kind: 'returned' });
    unheard.ended(7, { kind: 'finished' });
  });
  expect(heard).toEqual([]);
});
