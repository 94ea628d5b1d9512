/**
 * Records of one shape travel by column: their keys once, then the first field of all of them, the second one, and so on.
 * Structured clone writes and reads the keys of every record, which is most of what it does for small ones. What arrives is
 * the same; each is an object of its own, also where one stood in the list twice: which items share a block is chance.
 */
import { types } from 'node:util';
import { Column } from './column.ts';
import { isPacked, packedMin, type ValueList } from './number-list.ts';

/** Many records of one shape, as they travel. A block is a list otherwise, so nobody can take the one for the other. */
export interface RecordColumns {
  readonly keys: readonly string[];
  /** For each key the fields of all records. */
  readonly columns: readonly ValueList[];
}

// Taken at start: in a child, tasks may replace them. For the same reason nothing here uses a method or an iterator of a
// list: what one item has left of those must cost no other item its result.
const { isArray } = Array;
const { call } = Function.prototype;
const { defineProperty, getPrototypeOf, keys: keysOf, prototype: plain } = Object;
const { isProxy } = types;
const { toStringTag } = Symbol;
const tagOf: (value: object) => string = call.bind(plain.toString) as never;

/** Wider records gain little; and what is read is bounded by it: one column may stand for many. */
const keysMax = 64;

/**
 * The same records by column; undefined where something else is among the values, where one has other keys or another
 * order of them, where a field is an object, or where they are few. Throws what reading a field throws.
 */
export function packRecords(values: readonly unknown[]): RecordColumns | undefined {
  const first = values[0];
  if (values.length < packedMin || typeof first !== 'object' || first === null) return undefined;
  if (hasContents(first)) return undefined;
  const keys = keysOf(first);
  // A key that all objects have, `__proto__` above all, is not always a field when it is set.
  if (keys.length === 0 || keys.length > keysMax || hasInherited(keys)) return undefined;
  const fields = first as Readonly<Record<string, unknown>>;
  const columns: Column[] = [];
  for (let nth = 0; nth < keys.length; nth++) {
    columns[nth] = new Column(values.length, typeof fields[keys[nth] as string] === 'number');
  }
  for (let at = 0; at < values.length; at++) if (!addRecord(columns, keys, values[at])) return undefined;
  const lists: ValueList[] = [];
  for (let nth = 0; nth < columns.length; nth++) lists[nth] = (columns[nth] as Column).take();
  return { keys, columns: lists };
}

/**
 * How many records these are, without making any: a few bytes can say that a list is millions long. Undefined where they are
 * not what {@link packRecords} makes.
 */
export function countOfRecords(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { columns, keys } = value as Partial<RecordColumns>;
  if (!isArray(keys) || !isArray(columns)) return undefined;
  const width = keys.length;
  const first: unknown = columns[0];
  if (width === 0 || width > keysMax || columns.length !== width || !isList(first)) return undefined;
  for (let nth = 0; nth < width; nth++) {
    const column: unknown = columns[nth];
    if (typeof keys[nth] !== 'string' || !isList(column) || column.length !== first.length) return undefined;
  }
  return first.length;
}

/** The records from `from` to before `until`. Throws a `RangeError` where one lacks a field. */
export function unpackRecords({ columns, keys }: RecordColumns, from: number, until: number): unknown[] {
  const make = hasInherited(keys) ? definedRecord : record;
  const records: unknown[] = [];
  for (let at = from; at < until; at++) records[at - from] = make(keys, columns, at);
  return records;
}

function hasInherited(keys: readonly string[]): boolean {
  for (let nth = 0; nth < keys.length; nth++) if ((keys[nth] as string) in plain) return true;
  return false;
}

function isList(value: unknown): value is ValueList {
  return isArray(value) || isPacked(value);
}

// Functions of their own, and small: the compiler has them ready after few items.

/** Adds a field to each column. False where this is no such record; columns are of different lengths then. */
function addRecord(columns: readonly Column[], keys: readonly string[], value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  let nth = 0;
  for (const key in fields) {
    const field = fields[key];
    if (key !== keys[nth] || !isPrimitive(field)) return false;
    columns[nth]?.add(field);
    nth += 1;
  }
  return nth === keys.length;
}

/**
 * Of these structured clone makes what stands in their fields, and nothing else. A tag of its own may hide what kind it is; a
 * Map or a Promise that was given the prototype of all objects is told by {@link hasContents} alone, which is too dear for
 * every record: where the first is none of those, the others are taken for the same.
 */
function isPlain(value: object): boolean {
  return (
    getPrototypeOf(value) === plain &&
    !(toStringTag in value) &&
    tagOf(value) === '[object Object]' &&
    !isProxy(value)
  );
}

// Of what has its tag on its prototype, and loses it with that.
const kindsWithContents: readonly ((value: unknown) => boolean)[] = [
  ArrayBuffer.isView,
  types.isAnyArrayBuffer,
  types.isBigIntObject,
  types.isExternal,
  types.isGeneratorObject,
  types.isMap,
  types.isMapIterator,
  types.isPromise,
  types.isSet,
  types.isSetIterator,
  types.isSymbolObject,
  types.isWeakMap,
  types.isWeakSet,
];

/** Whether there is more to an object than its fields. */
function hasContents(value: object): boolean {
  for (let nth = 0; nth < kindsWithContents.length; nth++) if (kindsWithContents[nth]?.(value)) return true;
  return false;
}

function isPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case 'object':
      return value === null;
    case 'function':
    case 'symbol':
      return false;
    default:
      return true;
  }
}

function record(keys: readonly string[], columns: readonly ValueList[], at: number): object {
  const fields: Record<string, unknown> = {};
  for (let nth = 0; nth < keys.length; nth++) fields[keys[nth] as string] = fieldAt(columns[nth], at);
  return fields;
}

/** The same where a task has given such a field to all objects: setting it might do something else. */
function definedRecord(keys: readonly string[], columns: readonly ValueList[], at: number): object {
  const fields = {};
  for (let nth = 0; nth < keys.length; nth++) {
    const value = fieldAt(columns[nth], at);
    defineProperty(fields, keys[nth] as string, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return fields;
}

/** A hole is no field: nobody who packs leaves one, and it would read what stands in the prototype of lists. */
function fieldAt(column: ValueList | undefined, at: number): unknown {
  const value = column?.[at];
  if (value === undefined && !(column !== undefined && at in column)) {
    throw new RangeError(`Record ${at} of a block lacks a field.`);
  }
  return value;
}
