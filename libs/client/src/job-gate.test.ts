import { limits } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { JobGate, type JobPlace, jobsWithin } from './job-gate.ts';

function world(jobsMax: number): {
  readonly gate: JobGate;
  readonly enter: (name: string) => JobPlace;
  readonly inside: string[];
} {
  const gate = new JobGate(jobsMax);
  const inside: string[] = [];
  return { gate, inside, enter: (name) => gate.enter(() => inside.push(name)) };
}

test('as many as fit are let in at once, the others in their order, each when another one leaves', () => {
  const { enter, inside } = world(2);
  const [a, b, c] = ['a', 'b', 'c', 'd'].map(enter);
  expect(inside).toEqual(['a', 'b']);
  expect([a?.isWaiting, c?.isWaiting]).toEqual([false, true]);
  b?.leave();
  expect(inside).toEqual(['a', 'b', 'c']);
  expect(c?.isWaiting).toBe(false);
  a?.leave();
  expect(inside).toEqual(['a', 'b', 'c', 'd']);
});

test('whoever leaves the line is not let in, and takes nobody else with him', () => {
  const { enter, inside } = world(1);
  const [a, b] = ['a', 'b', 'c'].map(enter);
  b?.leave();
  expect(inside).toEqual(['a']);
  a?.leave();
  expect(inside).toEqual(['a', 'c']);
});

test('to leave twice makes room once', () => {
  const { enter, inside } = world(1);
  const [a] = ['a', 'b', 'c'].map(enter);
  a?.leave();
  a?.leave();
  expect(inside).toEqual(['a', 'b']);
});

test('behind a gate that is shut nobody is let in any more', () => {
  const { enter, gate, inside } = world(1);
  const [a] = ['a', 'b'].map(enter);
  gate.shut();
  a?.leave();
  expect(inside).toEqual(['a']);
});

test('one who leaves while he is let in makes room for the next one, once', () => {
  const gate = new JobGate(1);
  const inside: string[] = [];
  const first = gate.enter(() => {});
  const second = gate.enter(() => {
    inside.push('second');
    second.leave();
  });
  gate.enter(() => inside.push('third'));
  gate.enter(() => inside.push('fourth'));
  first.leave();
  expect(inside).toEqual(['second', 'third']);
});

test.each([4, 5, 6, 7, 100, limits.concurrentStreams.default])(
  'of %i streams enough are left for the items, the results and the short calls of all jobs',
  (streams) => {
    const jobs = jobsWithin(streams);
    expect(jobs).toBeGreaterThan(0);
    expect(1 + 3 * jobs).toBeLessThanOrEqual(streams);
    expect(1 + 3 * (jobs + 1)).toBeGreaterThan(streams);
  },
);
