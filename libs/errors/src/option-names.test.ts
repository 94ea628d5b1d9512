import { expect, test } from 'vitest';
import { checkOptionKinds, checkOptionNames } from './option-names.ts';

const known = ['leaseMs', 'heartbeatMs'];

test.each([
  [{ leaesMs: 1 }, 'Options: there is no option "leaesMs". Did you mean leaseMs?'],
  [{ colour: 1 }, 'Options: there is no option "colour". There are: leaseMs, heartbeatMs.'],
  [{ leaseMs: 1, '\u001b': undefined }, 'Options: there is no option "\\u001b". There are:'],
  [JSON.parse('{"__proto__":1}'), 'Options: there is no option "__proto__".'],
])('%j is refused by the name that nobody knows', (given, message) => {
  expect(() => checkOptionNames('Options', given, known)).toThrow(TypeError);
  expect(() => checkOptionNames('Options', given, known)).toThrow(message);
});

test('options that are known pass, whatever they are', () => {
  expect(() => checkOptionNames('Options', { leaseMs: undefined }, known)).not.toThrow();
});

test.each([
  [undefined, 'Options must be an object, not undefined.'],
  [null, 'Options must be an object, not null.'],
  ['leaseMs', 'Options must be an object, not string.'],
  [[], 'Options must be an object, not list.'],
  [new Map(), 'Options must be an object, not Map.'],
  [{ labels: ['gpu'] }, 'labels must be an object, not list.'],
  [{ users: {} }, 'users must be a list, not object.'],
  [
    { log: {} },
    'log must be an object with the methods debug, info, warn, error, as a logger of pino has them: there is no debug.',
  ],
  [
    { log: null },
    'log must be an object with the methods debug, info, warn, error, as a logger of pino has them, not null.',
  ],
  [{ leaseMs: '10s' }, 'leaseMs must be a number, not string.'],
  [{ labels: null }, 'labels must be an object, not null.'],
  [{ leaesMs: 1 }, 'Options: there is no option "leaesMs". Did you mean leaseMs?'],
])('%j is not of the kinds that options have', (given, message) => {
  const kinds = { leaseMs: 'number', labels: 'object', users: 'list', log: 'log' } as const;
  expect(() => checkOptionKinds('Options', given, kinds)).toThrow(new TypeError(message));
});

test('options without a prototype, those of a class and a log of a class pass', () => {
  class Log {
    debug(): void {}
    info(): void {}
    warn(): void {}
    error(): void {}
  }
  const given = Object.assign(Object.create(null), { log: new Log(), users: [] });
  expect(() => checkOptionKinds('Options', given, { log: 'log', users: 'list' })).not.toThrow();
});
