import { expect, test } from 'vitest';
import { ChildHost, type ChunkWork } from './child-host.ts';
import { Clock } from './clock.ts';
import type { Execution } from './execution.ts';
import { scenarioOf } from './generate.ts';
import type { JobPlan } from './scenario.ts';

const [anyJob] = scenarioOf(1).jobs;
const job = {
  ...(anyJob as JobPlan),
  name: 'job',
  itemMs: 10,
  behaviours: new Map(),
  code: 'works',
} as const satisfies JobPlan;

test('what a child runs when it is killed for an item of its earlier part is cut short', () => {
  const clock = new Clock();
  const began: string[] = [];
  const cut: string[] = [];
  const nameOf = ({ attempt, index }: Execution): string => `${attempt}[${index}]`;
  const children = new ChildHost(
    {
      clock,
      chance: () => 0.5,
      begin: ({ attempt }, index, child) => {
        const execution = executionOf(attempt, index, child);
        began.push(nameOf(execution));
        return execution;
      },
      end: (execution, outcome) => {
        execution.outcome = outcome;
      },
      cutShort: (execution) => cut.push(nameOf(execution)),
      earlierStarts: () => 0,
      crowded: () => {},
    },
    1,
    () => {},
  );
  children.spawn(1, job);
  while (clock.step(1_000));
  children.run({ type: 'runPart', child: 1, chunk: 1, first: 0, count: 1 }, workOf(1));
  children.run({ type: 'runPart', child: 1, chunk: 2, first: 1, count: 1 }, workOf(2));
  while (!began.includes('2[1]') && clock.step(1_000));
  // The pool stood still, and has not read that the first part is done.
  children.abort({ type: 'abortPart', child: 1, chunk: 1, reason: 'timedOut', index: 0 });
  children.kill(1);
  while (clock.step(1_000));
  expect(began).toEqual(['1[0]', '2[1]']);
  expect(cut).toEqual(['2[1]']);
});

function workOf(chunk: number): ChunkWork {
  return {
    chunk,
    attempt: chunk,
    epoch: 1,
    job,
    argumentOf: (index) => ({ job: job.name, index }),
    marksStarts: true,
    maxTasksPerChild: Number.POSITIVE_INFINITY,
  };
}

function executionOf(attempt: number, index: number, child: number): Execution {
  return {
    id: attempt,
    job: job.name,
    index,
    agent: 'agent-1',
    child,
    epoch: 1,
    attempt,
    startedAtMs: 0,
    endedAtMs: Number.NaN,
    startedLocalMs: 0,
    endedLocalMs: Number.NaN,
    outcome: 'running',
    isUnseen: false,
  };
}
