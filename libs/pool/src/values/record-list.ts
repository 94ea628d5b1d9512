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

// Taken at start: in a child, tasks may replace them.
const { defineProperty, getPrototypeOf, keys: keysOf, prototype: plain } = Object;
const { isProxy } = types;
const { toString: tagOf } = plain;

/** Wider records gain little. */
const keysMax = 64;

/**
 * The same records by column; undefined where something else is among the values, where one has other keys or another
 * order of them, where a field is an object, or where they are few. Throws what reading a field throws.
 */
export function packRecords(values: readonly unknown[]): RecordColumns | undefined {
  const [first] = values;
  if (values.length < packedMin || typeof first !== 'object' || first === null) return undefined;
  const keys = keysOf(first);
  // A key that all objects have, `__proto__` above all, is not always a field when it is set.
  if (keys.length === 0 || keys.length > keysMax || keys.some((key) => key in plain)) return undefined;
  const fields = first as Readonly<Record<string, unknown>>;
  const columns = keys.map((key) => new Column(values.length, typeof fields[key] === 'number'));
  for (const value of values) if (!addRecord(columns, keys, value)) return undefined;
  return { keys, columns: columns.map((column) => column.take()) };
}

/** Whether this is what {@link packRecords} makes. */
export function isRecordColumns(value: unknown): value is RecordColumns {
  if (typeof value !== 'object' || value === null) return false;
  const { columns, keys } = value as Partial<RecordColumns>;
  if (!Array.isArray(keys) || !Array.isArray(columns) || keys.length === 0) return false;
  if (columns.length !== keys.length || keys.some((key) => typeof key !== 'string')) return false;
  const [first] = columns as readonly unknown[];
  return columns.every((column) => isList(column) && isList(first) && column.length === first.length);
}

/** The records. */
export function unpackRecords({ columns, keys }: RecordColumns): unknown[] {
  const make = keys.some((key) => key in plain) ? definedRecord : record;
  const count = columns[0]?.length ?? 0;
  const records: unknown[] = [];
  for (let at = 0; at < count; at++) records.push(make(keys, columns, at));
  return records;
}

function isList(value: unknown): value is ValueList {
  return Array.isArray(value) || isPacked(value);
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

/** Only of these structured clone makes what stands in their fields, and nothing else. */
function isPlain(value: object): boolean {
  return getPrototypeOf(value) === plain && tagOf.call(value) === '[object Object]' && !isProxy(value);
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
  for (let nth = 0; nth < keys.length; nth++) fields[keys[nth] as string] = columns[nth]?.[at];
  return fields;
}

/** The same where a task has given such a field to all objects: setting it might do something else. */
function definedRecord(keys: readonly string[], columns: readonly ValueList[], at: number): object {
  const fields = {};
  keys.forEach((key, nth) => {
    const value = columns[nth]?.[at];
    defineProperty(fields, key, { value, configurable: true, enumerable: true, writable: true });
  });
  return fields;
}
