import { runInThisContext } from 'node:vm';
import { expect, test } from 'vitest';
import { inlineFunction } from './inline-function.ts';

const evaluated = (source: string): unknown => runInThisContext(`(${source})`);

/** What stands in the way of a function; its text is given, as a compiler leaves it. */
function refusalOf(source: string): string {
  const found = inlineFunction(evaluated(source) as () => unknown);
  return 'names' in found ? found.names : 'accepted';
}

function sourceOf(fn: (...args: never) => unknown): string {
  const found = inlineFunction(fn);
  if ('names' in found) throw new Error(`refused for ${found.names}`);
  return found.source;
}

const called = (source: string, ...args: unknown[]): unknown =>
  (evaluated(sourceOf(evaluated(source) as () => unknown)) as (...given: unknown[]) => unknown)(...args);

test('a function that needs nothing from outside itself travels as its text', () => {
  expect(called('(x) => x * 2', 21)).toBe(42);
  expect(called('function double(x) { return x * 2 }', 21)).toBe(42);
  expect(called('async (x) => x', 1)).toBeInstanceOf(Promise);
  expect(called('{ double(x) { return x * 2 } }.double', 21)).toBe(42);
  expect(called("{ 'to double'(x) { return x * 2 } }['to double']", 21)).toBe(42);
});

test.each([
  ['(x) => x + k', '`k`'],
  ['(x) => k(x) + l.m', '`k` and `l`'],
  ['(x) => { y = x }', '`y`'],
  ['() => this.x', '`this`'],
  ['function () { return this.x }', '`this`'],
  ['{ m() { return () => super.m() } }.m', '`super`'],
  ["(x) => import('../work.js')", "`import('../work.js')`"],
  ['(x) => ({ k })', '`k`'],
  ['(x = k) => x', '`k`'],
  ['({ [k]: x }) => x', '`k`'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of a function
  ['(x) => `${k}`', '`k`'],
  ['(x) => { { let y = 1 } return y }', '`y`'],
  ['(x) => { for (const y of x) {} return y }', '`y`'],
  ['(x) => { try {} catch (e) {} return e }', '`e`'],
  ['(x) => { class A extends B {} }', '`B`'],
  ['(x) => require("fs")', '`require`'],
  ['(x) => typeof k', '`k`'],
  ['new (class { #p = 1; f = (x) => x.#p })().f', '`#p`'],
  ['new (class { #p = 1; f(x) { return this.#p } })().f', '`this` and `#p`'],
  ['class { static #p = 1; static f(x) { return #p in x } }.f', '`#p`'],
  ['new (class { #p = 1; f = (x) => class { #q = 1; g(y) { return y.#q + x.#p } } })().f', '`#p`'],
])('%s is refused for %s', (source, names) => {
  expect(refusalOf(source)).toBe(names);
});

test.each([
  '(x) => { var y = x; { var z = y } return z }',
  '(x) => { const f = function g(n) { return n ? g(n - 1) : arguments.length }; return f(x) }',
  '(x) => { function later() { return early() } function early() { return x } return later() }',
  '({ a, b: [c = 1, ...d] }, ...rest) => [a, c, d, rest]',
  '(x) => { outer: for (let i = 0; i < 2; i++) { continue outer } return x.y.z }',
  '(x) => { class A { #p = 1; static s = 2; get p() { return this.#p } } return new A().p }',
  '(x) => { try { JSON.parse(x) } catch ({ message }) { return message } }',
  '(x) => Buffer.from(String(x)).toString("hex") + Math.PI + process.pid',
  "async (x) => (await import('node:os')).cpus().length",
  '(x) => { class A { #p = 1; #m() { return class { q = x.#p } } has(y) { return #p in y && y.#m() } } return A }',
  '(x) => { with (x) { return 0777 } }',
  '(x) => { switch (x) { case 1: let y = 1; return y } }',
  '(x) => { const { a, ...b } = x; ({ a: x } = b); return x }',
  'function named(x) { return function () { return this } }',
  '(x) => ({ method() { return this }, key: x })',
])('%s is accepted', (source) => {
  expect(refusalOf(source)).toBe('accepted');
});

test('a refusal names the function, the variable and the line that uses it', () => {
  const outside = 3;
  const usesOutside = (x: number): number => {
    const y = x + 1;
    return y + outside;
  };
  expect(inlineFunction(usesOutside)).toEqual({
    task: 'usesOutside',
    names: '`outside`',
    where: expect.stringMatching(/^inline-function\.test\.ts:\d+$/),
  });
});

test('import.meta is named, with the line that uses it: only its own module has it', async () => {
  const module = 'export const whereAmI = (x) => {\n  return import.meta.url + x;\n};';
  const { whereAmI } = await import(`data:text/javascript,${encodeURIComponent(module)}`);
  expect(inlineFunction(whereAmI)).toMatchObject({
    task: 'whereAmI',
    names: '`import.meta`',
    where: expect.stringMatching(/:2$/),
  });
});

test('what a compiler adds to keep names does not break a function', () => {
  expect(called('(x) => { const inner = __name(() => x, "inner"); return inner.name + inner() }', 1)).toBe(
    'inner1',
  );
});

test('built-in functions are sent by their name', () => {
  expect(inlineFunction(Math.sqrt)).toEqual({ name: 'sqrt', source: 'Math.sqrt' });
  expect(sourceOf(structuredClone)).toBe('structuredClone');
});

test('a bound function cannot be sent', () => {
  expect(inlineFunction(((x: number) => x).bind(null))).toMatchObject({
    names: 'native code or what it was bound to',
  });
});

test('a bound function without a name is told of as any other without one', () => {
  const bound = (
    () => () =>
      1
  )().bind(null);
  expect(bound.name).toBe('bound ');
  expect(inlineFunction(bound)).toMatchObject({ task: 'An inline function' });
});

test('a class is refused', () => {
  expect(() => inlineFunction(evaluated('class A {}') as () => unknown)).toThrow(
    /^A is a class; a task function has to be callable without new/,
  );
});

test.each(['#m(x) { return x }', 'async *#m(x) {}', 'static #m(x) { return x }'])(
  'a private method is refused as such: %s',
  (method) => {
    const get = method.startsWith('static') ? 'A' : 'new A()';
    const fn = evaluated(
      `(() => { class A { ${method}; static get() { return ${get}.#m } } return A.get() })()`,
    );
    expect(() => inlineFunction(fn as () => unknown)).toThrow(
      /^#m is a private method, which only its class/,
    );
  },
);

test('a getter cannot be a task function', () => {
  const { get } = Object.getOwnPropertyDescriptor(evaluated('{ get a() { return 1 } }'), 'a') ?? {};
  expect(() => inlineFunction(get as () => unknown)).toThrow(/^A getter, a setter/);
});
