import { ResultRun } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { RunParts } from './run-parts.ts';

/** A part of a run, which says how long the whole will be. */
const part = (first: number, text: string, more: boolean, totalBytes: number = 0): ResultRun =>
  ResultRun.fromPartial({ first, count: 1, payload: Buffer.from(text), more, totalBytes });
const textOf = (run: ResultRun | undefined): string | undefined =>
  run === undefined ? undefined : Buffer.from(run.payload).toString();

test('a run in one part is whole at once', () => {
  expect(textOf(new RunParts(100).take(1, part(0, 'all', false)))).toBe('all');
});

test('parts of two attempts come between each other and are kept apart', () => {
  const parts = new RunParts(100);
  expect(parts.take(1, part(0, 'of ', true, 6))).toBeUndefined();
  expect(parts.take(2, part(5, 'of two', true, 11))).toBeUndefined();
  const whole = parts.take(1, part(0, 'one', false));
  expect([whole?.first, textOf(whole)]).toEqual([0, 'of one']);
  expect(textOf(parts.take(2, part(5, ', too', false)))).toBe('of two, too');
});

test('an attempt that is forgotten begins anew', () => {
  const parts = new RunParts(100);
  parts.take(1, part(0, 'half', true));
  parts.forget(1);
  expect(textOf(parts.take(1, part(0, 'whole', false)))).toBe('whole');
});

test('a run of more than twice what one result may have is refused', () => {
  const parts = new RunParts(4);
  parts.take(1, part(0, '12345678', true));
  expect(() => parts.take(1, part(0, '9', false))).toThrow(
    expect.objectContaining({ code: 'RESULT_TOO_LARGE' }),
  );
});
