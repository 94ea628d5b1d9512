import { deserialize } from 'node:v8';
import { Encoding } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { wireEnding } from './attempt-report.ts';

const where = { agent: 'agent-1', encoding: Encoding.V8 };
const killed = { code: 'CHILD_START_FAILED', facts: { reason: 'it ended at once by SIGKILL' } };

test('an initializer that throws is told as its own failure, not as a child that could not start', () => {
  const error = { name: 'TypeError', message: 'no data', stack: 'TypeError: no data\n    at main.ts:3:1' };
  const { ending } = wireEnding({ kind: 'initializerFailed' }, { failure: killed, error }, where);
  expect(ending).toMatchObject({
    $case: 'unrunnable',
    value: {
      error: {
        code: 'INITIALIZER_FAILED',
        facts: { where: 'a child process of agent-1', reason: 'TypeError: no data' },
      },
    },
  });
  if (ending?.$case !== 'unrunnable') throw new Error('Not unrunnable.');
  expect(deserialize(ending.value.error?.error ?? new Uint8Array())).toEqual(error);
});

test('G5: what had begun when a chunk was aborted is told, so that it is not run again where that is forbidden', () => {
  const started = [{ first: 3, count: 2 }];
  const ended = (ending: Parameters<typeof wireEnding>[0]) => wireEnding(ending, {}, where).ending;
  expect(ended({ kind: 'aborted', started })).toEqual({ $case: 'returned', value: { started } });
  expect(ended({ kind: 'aborted' })).toEqual({ $case: 'returned', value: { started: [] } });
});

test('a child that cannot be started at all is told as that', () => {
  const { ending } = wireEnding({ kind: 'taskFailed' }, { failure: killed }, where);
  expect(ending).toMatchObject({
    $case: 'unrunnable',
    value: { error: { code: 'CHILD_START_FAILED', facts: killed.facts } },
  });
});
