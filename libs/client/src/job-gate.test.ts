import { limits } from '@shoal/protocol';
import { describe, expect, test } from 'vitest';
import { JobGate, type JobPlace, type JobTurn, jobsWithin } from './job-gate.ts';

const turnOf = (letIn: () => void): JobTurn => ({ letIn, refuse: () => {}, wait: () => {} });

function world(jobsMax: number): {
  readonly gate: JobGate;
  readonly enter: (name: string) => JobPlace;
  readonly inside: string[];
} {
  const gate = new JobGate(jobsMax);
  const inside: string[] = [];
  return { gate, inside, enter: (name) => gate.enter(turnOf(() => inside.push(name))) };
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
  const first = gate.enter(turnOf(() => {}));
  const second = gate.enter(
    turnOf(() => {
      inside.push('second');
      second.leave();
    }),
  );
  gate.enter(turnOf(() => inside.push('third')));
  gate.enter(turnOf(() => inside.push('fourth')));
  first.leave();
  expect(inside).toEqual(['second', 'third']);
});

describe('after the connection broke', () => {
  test('nobody goes in before it is known anew how many may, and no more than that', async () => {
    const { enter, gate, inside } = world(3);
    enter('a');
    const answer = Promise.withResolvers<number>();
    let asked = 0;
    gate.doubt(() => {
      asked += 1;
      return answer.promise;
    });
    // Nobody waits: nobody asks.
    expect([gate.isInDoubt, asked]).toEqual([true, 0]);
    const [b, c] = ['b', 'c'].map(enter);
    const waiting: string[] = [];
    gate.enter({ ...turnOf(() => inside.push('d')), wait: () => waiting.push('d') });
    expect([inside, asked, b?.isWaiting]).toEqual([['a'], 1, true]);
    answer.resolve(2);
    await answer.promise;
    await expect.poll(() => inside).toEqual(['a', 'b']);
    expect([gate.isInDoubt, c?.isWaiting, waiting]).toEqual([false, true, ['d']]);
  });

  test('those who wait already hear of it, and nobody has to leave before it is asked', async () => {
    const { enter, gate, inside } = world(1);
    enter('a');
    const heard: boolean[] = [];
    gate.enter({ ...turnOf(() => inside.push('b')), wait: () => heard.push(gate.isInDoubt) });
    gate.doubt(() => Promise.resolve(1));
    expect(heard).toEqual([true]);
    await expect.poll(() => heard).toEqual([true, false]);
    gate.doubt(() => Promise.resolve(2));
    await expect.poll(() => inside).toEqual(['a', 'b']);
  });

  test('those who wait are refused where it cannot be known; the next one asks again', async () => {
    const { enter, gate, inside } = world(3);
    let answer: Promise<number> = Promise.reject(new Error('nobody is there'));
    gate.doubt(() => answer);
    const refused: unknown[] = [];
    const refuse = (error: unknown): void => void refused.push(error);
    gate.enter({ ...turnOf(() => inside.push('a')), refuse });
    gate.enter({ ...turnOf(() => inside.push('b')), refuse }).leave();
    await expect.poll(() => refused).toEqual([new Error('nobody is there')]);
    answer = Promise.resolve(1);
    enter('c');
    await expect.poll(() => inside).toEqual(['c']);
  });

  test('an answer of before another break is asked for again', async () => {
    const { enter, gate, inside } = world(3);
    const first = Promise.withResolvers<number>();
    gate.doubt(() => first.promise);
    ['a', 'b'].forEach(enter);
    gate.doubt(() => Promise.resolve(1));
    first.resolve(2);
    await expect.poll(() => inside).toEqual(['a']);
    expect(gate.isInDoubt).toBe(false);
  });
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
