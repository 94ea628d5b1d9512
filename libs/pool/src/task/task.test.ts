import { expect, test } from 'vitest';
import { registeredTask, task } from './task.ts';

const square = task(import.meta, (x: number) => x * x);
const cube = task(import.meta, function cubed(x: number) {
  return x ** 3;
});
// biome-ignore format: the name stands on a line before the call
const wrapped: (x: number) => number =
  task(import.meta, (x) => x + 1);

test('a task is the function itself: calling it runs it here', () => {
  expect(square(3)).toBe(9);
  expect(wrapped(3)).toBe(4);
});

test('a task carries its module and its number there', () => {
  const { url } = import.meta;
  expect(registeredTask(square)).toMatchObject({ kind: 'registered', url, origin: url, ordinal: 0 });
  expect(registeredTask(cube)).toMatchObject({ ordinal: 1 });
});

test('a task is called by its own name, or by that of the variable that holds it', () => {
  expect(registeredTask(cube)?.name).toBe('cubed');
  expect(registeredTask(square)?.name).toBe('square');
  expect(registeredTask(wrapped)?.name).toBe('wrapped');
});

test('a child finds the functions of a module in the order of their task() calls', () => {
  const tasks = Reflect.get(globalThis, Symbol.for('shoal.tasks')) as Map<string, unknown[]>;
  expect(tasks.get(import.meta.url)?.slice(0, 3)).toEqual([square, cube, wrapped]);
});

test('a module that is evaluated again counts from 0 again', () => {
  const url = 'file:///again.ts';
  const first = task({ url }, () => 1);
  const second = task({ url }, () => 2);
  expect([first, second].map((fn) => registeredTask(fn))).toMatchObject([{ ordinal: 0 }, { ordinal: 0 }]);
  const meta = { url };
  expect([task(meta, () => 3), task(meta, () => 4)].map((fn) => registeredTask(fn))).toMatchObject([
    { ordinal: 0 },
    { ordinal: 1 },
  ]);
});

test('what is no import.meta or no function is refused', () => {
  expect(() => task(undefined as never, () => 1)).toThrow(/first argument has to be import\.meta/);
  expect(() => task(import.meta, 5 as never)).toThrow(/second argument has to be a function, not number/);
});
