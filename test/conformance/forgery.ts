/** A task that sends other bytes than those of its result. A module of its own: only one chapter needs it. */
import v8 from 'node:v8';
import { task } from 'shoal';

/** An item, and what leaves its process in the place of its result, or of its error. */
export interface Forgery {
  readonly item: number;
  readonly result?: keyof typeof forgedResults;
  readonly error?: keyof typeof forgedErrors;
}

const { Serializer } = v8;
const release = Serializer.prototype.releaseBuffer;

function clone(value: unknown): Buffer {
  const writer = new v8.DefaultSerializer();
  writer.writeHeader();
  writer.writeValue(value);
  return release.call(writer);
}

/** So long, and not a byte of it. */
function sparse(length: number): unknown[] {
  const list: unknown[] = [];
  list.length = length;
  return list;
}

const forgedResults = {
  'no clone at all': () => Buffer.from('hello'),
  nothing: () => Buffer.alloc(0),
  'an object': () => clone({ a: 1 }),
  'a list of another length': () => clone([1, 2, 3]),
  'a list that breaks off': () => Buffer.from([0xff, 0x0f, 0x41, 1, 0xff]),
  'texts that break off': () => Buffer.from([0x54, 1, 0, 0, 0, 9, 0, 0, 0, 120]),
  'texts, millions of them': () => Buffer.from([0x54, 255, 255, 255, 255, 255, 255, 255, 255]),
  'texts of another number': () => Buffer.from([0x54, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 120, 120]),
  'records, millions of them': () => clone({ keys: ['a'], columns: [sparse(2 ** 32 - 1)] }),
};

function circular(): object {
  const error: Record<string, unknown> = { name: 'Error', message: 'round' };
  error['cause'] = error;
  return error;
}

function doubling(): object {
  let error: object = { name: 'Error', message: 'a leaf' };
  for (let depth = 0; depth < 40; depth++) error = { name: 'Error', message: 'x', errors: [error, error] };
  return error;
}

function deep(): object {
  let error: object = { name: 'Error', message: 'the deepest' };
  for (let depth = 0; depth < 3_000; depth++) error = { name: 'Error', message: 'x', cause: error };
  return error;
}

const forgedErrors = {
  junk: () => Buffer.from('hello'),
  'errors that are no list': () => clone({ name: 'Error', message: 'm', errors: 5 }),
  'errors that are none': () => clone({ name: 'Error', message: 'm', errors: [null] }),
  'millions of errors': () => clone({ name: 'Error', message: 'm', errors: sparse(2 ** 32 - 1) }),
  'a cause that is a number': () => clone({ name: 'Error', message: 'm', cause: 5 }),
  'a stack that is a number': () => clone({ name: 'Error', message: 'm', stack: 5 }),
  'fields that are none': () => clone({ name: 'Error', message: 'm', fields: null, code: {}, thrown: 7 }),
  'an error behind itself': () => clone(circular()),
  'two errors behind each of two': () => clone(doubling()),
  'a cause behind a cause, 3,000 times': () => clone(deep()),
};

export const resultForgeries = Object.keys(forgedResults) as (keyof typeof forgedResults)[];
export const errorForgeries = Object.keys(forgedErrors) as (keyof typeof forgedErrors)[];

/** Has its own bytes leave for what the items ask for, from the first of them that asks on. */
export const forge = task(import.meta, ({ error, item, result }: Forgery): { item: number } => {
  const bytes = error === undefined ? result && forgedResults[result] : forgedErrors[error];
  Serializer.prototype.releaseBuffer = bytes === undefined ? release : () => bytes() as never;
  if (error !== undefined) throw new Error('the true one');
  return { item };
});
