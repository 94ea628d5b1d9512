/**
 * Which values can travel. Structured clone refuses some (functions) and silently empties others (a URL arrives as
 * `{}`); both are found here, with the path of the culprit, before anything is sent.
 *
 * Class instances arrive as plain objects: that is documented and allowed. What is refused is an object of the
 * platform whose state is not in its own fields, for nothing of it would arrive.
 */
import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import v8 from 'node:v8';
import type { Encoding } from '../child-pool/chunk-request.ts';
import { BroadcastHandle } from './broadcast.ts';

/** What in a value cannot travel. */
export interface Unportable {
  /** Where: `.callbacks[0]`; `it` where the value itself is meant. */
  readonly path: string;
  /** What: `a function`, `a URL`. */
  readonly kind: string;
}

/** Find what in a value cannot travel in this encoding; undefined where all of it can. */
export function findUnportable(value: unknown, encoding: Encoding = 'v8'): Unportable | undefined {
  switch (encoding) {
    case 'v8':
      return isSurelyPortable(value) ? undefined : search(value, encoding);
    case 'json':
      return search(value, encoding);
    case 'bytes':
      return isView(value) || value instanceof ArrayBuffer
        ? undefined
        : { path: 'it', kind: `${nameOf(value)}, and the encoding is bytes` };
  }
}

/** The same for a value that the encoder has refused: always finds something to say. */
export function explainUnportable(value: unknown, encoding: Encoding, thrown: unknown): Unportable {
  return search(value, encoding) ?? { path: 'it', kind: refusedFor(thrown) };
}

/** Where a value holds a handle of a constant. */
export function findBroadcast(value: unknown): Unportable | undefined {
  return search(value, 'v8', (part) =>
    BroadcastHandle.sourceOf(part) === undefined ? undefined : 'a broadcast value itself',
  );
}

// Taken at start: in a child, tasks may replace them. For the same reason nothing on the way of values that can travel uses
// a method or an iterator that was not: what one item has left of those must cost no other item its result.
const { isView } = ArrayBuffer;
const { isArray } = Array;
const { getOwnPropertyDescriptor, getPrototypeOf, keys } = Object;
const { isFinite: isFiniteNumber } = Number;
const { call } = Function.prototype;
const { stringify } = JSON;
type Values = ReadonlySet<unknown>;
const addTo: (set: Set<unknown>, value: unknown) => void = call.bind(Set.prototype.add) as never;
const isIn: (set: Values, value: unknown) => boolean = call.bind(Set.prototype.has) as never;
const eachOf: (set: Values, each: (value: unknown) => void) => void = call.bind(
  Set.prototype.forEach,
) as never;
const eachEntry: (map: ReadonlyMap<unknown, unknown>, each: (value: unknown, key: unknown) => void) => void =
  call.bind(Map.prototype.forEach) as never;
const numberIn: (box: object) => number = call.bind(Number.prototype.valueOf) as never;
const { apply } = Reflect;
const dateToJSON: unknown = Date.prototype.toJSON;
const bufferToJSON: unknown = Buffer.prototype.toJSON;
const timeOf: (date: Date) => number = call.bind(Date.prototype.getTime) as never;
const tests: (pattern: RegExp, text: string) => boolean = call.bind(RegExp.prototype.test) as never;
const verdictOf: (verdicts: Verdicts, prototype: object) => string | undefined = call.bind(
  WeakMap.prototype.get,
) as never;
const isJudged: (verdicts: Verdicts, prototype: object) => boolean = call.bind(
  WeakMap.prototype.has,
) as never;
const judge: (verdicts: Verdicts, prototype: object, verdict: string | undefined) => void = call.bind(
  WeakMap.prototype.set,
) as never;

// Deeper values, and those of more objects, are left to `search`, which knows shared and circular references.
const quickDepthMax = 24;
const quickWidthMax = 1_000;

function isSurelyPortable(value: unknown): boolean {
  try {
    return looksPortable(value, 0);
  } catch {
    // A getter threw; the closer look says which.
    return false;
  }
}

/** A quick look without any bookkeeping. True: surely portable. False: look closely. */
function looksPortable(value: unknown, depth: number): boolean {
  if (typeof value !== 'object') return typeof value !== 'function' && typeof value !== 'symbol';
  if (value === null) return true;
  if (depth > quickDepthMax) return false;
  const prototype: unknown = getPrototypeOf(value);
  if (prototype === Array.prototype) {
    const list = value as readonly unknown[];
    if (list.length > quickWidthMax && depth > 0) return false;
    for (let i = 0; i < list.length; i++) {
      const element = list[i];
      if (typeof element === 'number' || typeof element === 'string') continue;
      // A hole: there may be four thousand million of them, which the closer look steps over.
      if (element === undefined && !(i in list)) return false;
      if (!looksPortable(element, depth + 1)) return false;
    }
    return true;
  }
  if (prototype === Object.prototype || prototype === null) {
    // A Proxy passes for a plain object here; the encoder refuses it, and `explainUnportable` then says so.
    const fields = value as Readonly<Record<string, unknown>>;
    const names = keys(fields);
    for (let i = 0; i < names.length; i++) {
      const field = fields[names[i] as string];
      if (typeof field === 'number' || typeof field === 'string') continue;
      if (!looksPortable(field, depth + 1)) return false;
    }
    return true;
  }
  return isPlainBuiltin(value);
}

/** Built-in objects that structured clone carries whole and that hold no other values. */
function isPlainBuiltin(value: object): boolean {
  return (
    (isView(value) && !types.isSharedArrayBuffer(value.buffer)) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isArrayBuffer(value) ||
    types.isBoxedPrimitive(value)
  );
}

/** What is to be looked at, and how it was come by: words are made of that only where it cannot travel. */
interface Part {
  readonly value: unknown;
  readonly within: Part | undefined;
  readonly key: unknown;
  readonly step: (key: unknown) => string;
  /** It is what a toJSON() has returned: JSON asks it for none, and writes what its fields hold. */
  readonly isTold?: boolean;
}

/** Of what kind a value is that cannot travel by itself. */
type Verdict = (value: unknown, encoding: Encoding, isTold: boolean) => string | undefined;

/** Look at everything, once each, and keep how to get there. */
function search(
  root: unknown,
  encoding: Encoding,
  verdict: Verdict = kindOfUnportable,
): Unportable | undefined {
  const refusal = encoding === 'json' ? refusalOf(root) : undefined;
  // Only where JSON.stringify came to an end do we: a toJSON() may return one more that has one, for ever.
  const asks = encoding === 'json' && refusal === undefined;
  const seen = new Set<object>();
  const open: Part[] = [{ value: root, within: undefined, key: undefined, step: () => '' }];
  while (open.length > 0) {
    const part = open[open.length - 1] as Part;
    open.length -= 1;
    const { value, isTold = false } = part;
    try {
      const kind = verdict(value, encoding, isTold);
      if (kind !== undefined) return { path: pathOf(part), kind };
      if (typeof value !== 'object' || value === null) continue;
      if (encoding === 'json' && !isTold && hasToJSON(value)) {
        // Not among those that were seen: it may return itself.
        if (asks && !isToldWhole(value)) open[open.length] = toldBy(value, part);
        continue;
      }
      if (isIn(seen, value)) continue;
      addTo(seen, value);
      const inside = partsOf(value, part, encoding);
      // The last first, so that the first culprit in reading order is the one named.
      for (let at = inside.length - 1; at >= 0; at--) open[open.length] = inside[at] as Part;
    } catch {
      return { path: pathOf(part), kind: 'an object with a field that throws when it is read' };
    }
  }
  return refusal === undefined ? undefined : { path: 'it', kind: refusal };
}

function hasToJSON(value: object): value is { toJSON: (key: string) => unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** A Date is told as text, and a Buffer as whole numbers: there are many, and nothing in them to be found. */
function isToldWhole(value: { readonly toJSON: unknown }): boolean {
  return (
    (types.isDate(value) && value.toJSON === dateToJSON) || (isView(value) && value.toJSON === bufferToJSON)
  );
}

/** What is written instead of this value. */
function toldBy(value: { readonly toJSON: (key: string) => unknown }, part: Part): Part {
  const key = part.within === undefined ? '' : `${part.key}`;
  const told = apply(value.toJSON, value, [key]);
  return { value: told, within: part, key: undefined, step: stepToTold, isTold: true };
}

function partsOf(value: object, within: Part, encoding: Encoding): Part[] {
  const parts: Part[] = [];
  const add = (inner: unknown, key: unknown, step: Part['step']): void => {
    if (!alwaysTravels(inner, encoding)) parts[parts.length] = { value: inner, within, key, step };
  };
  if (encoding === 'json' && types.isTypedArray(value)) {
    for (let at = 0; at < value.length; at++) add(value[at], at, stepToElement);
    const fields = value as unknown as Readonly<Record<string, unknown>>;
    // Behind those of its elements; JSON writes what somebody has put there, too.
    const names = keys(value);
    for (let at = value.length; at < names.length; at++)
      add(fields[names[at] as string], names[at], stepToField);
  } else if (types.isMap(value)) {
    eachEntry(value, (entry, key) => {
      add(key, undefined, stepToKey);
      add(entry, key, stepToEntry);
    });
  } else if (types.isSet(value)) {
    eachOf(value, (entry) => add(entry, undefined, stepToValue));
  } else if (encoding !== 'json' && types.isNativeError(value)) {
    if ('cause' in value) add(value.cause, 'cause', stepToField);
  } else if (encoding === 'json' ? !types.isBoxedPrimitive(value) : !isPlainBuiltin(value)) {
    const fields = value as Readonly<Record<string, unknown>>;
    const step = isArray(value) ? stepToElement : stepToField;
    // By key also where it is a list: one of four elements may say that it has four thousand million.
    const names = keys(value);
    for (let at = 0; at < names.length; at++) add(fields[names[at] as string], names[at], step);
  }
  return parts;
}

/** Of these there are hundreds of thousands in a large value, and no encoding refuses them, nor writes them as something else. */
function alwaysTravels(value: unknown, encoding: Encoding): boolean {
  switch (typeof value) {
    case 'number':
      return encoding !== 'json' || isFiniteNumber(value);
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    default:
      return value === null;
  }
}

/** A path, and a key in it, of more characters are cut: both stand in a message, and keys may be data of any length. */
const pathLengthMax = 1_000;
const keyLengthMax = 100;

function pathOf(part: Part): string {
  let path = '';
  for (let at: Part | undefined = part; at !== undefined; at = at.within) {
    path = at.step(at.key) + path;
    // What is nearest to the culprit says most.
    if (path.length > pathLengthMax) return `…${path.slice(-pathLengthMax)}`;
  }
  return path === '' ? 'it' : path;
}

function cut(key: string): string {
  return key.length > keyLengthMax ? `${key.slice(0, keyLengthMax)}…` : key;
}

const stepToKey = (): string => '.keys()';
const stepToEntry = (key: unknown): string => `.get(${describeKey(key)})`;
const stepToValue = (): string => '.values()';
const stepToTold = (): string => '.toJSON()';

function stepToElement(key: unknown): string {
  return /^\d+$/.test(String(key)) ? `[${String(key)}]` : stepToField(key);
}

function stepToField(key: unknown): string {
  const name = cut(String(key));
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${stringify(name)}]`;
}

function describeKey(key: unknown): string {
  if (typeof key === 'string') return stringify(cut(key));
  return typeof key === 'number' ? stringify(key) : nameOf(key);
}

function kindOfUnportable(value: unknown, encoding: Encoding, isTold: boolean): string | undefined {
  switch (typeof value) {
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    case 'number':
      return alwaysTravels(value, encoding) ? undefined : `the number ${value}, which JSON cannot carry`;
    case 'bigint':
      return encoding === 'json' ? 'a bigint, which JSON cannot carry' : undefined;
    case 'object':
      return value === null ? undefined : kindOfObject(value, encoding, isTold);
    default:
      return undefined;
  }
}

function kindOfObject(value: object, encoding: Encoding, isTold: boolean): string | undefined {
  if (types.isProxy(value)) return 'a Proxy';
  const broadcast = BroadcastHandle.sourceOf(value);
  if (broadcast !== undefined) {
    if (encoding === 'json') return 'a broadcast value, which JSON cannot carry';
    return broadcast.isLive() ? undefined : 'a broadcast value that was released';
  }
  if (encoding === 'json') {
    if (types.isMap(value) || types.isSet(value)) return `a ${nameOf(value)}, which JSON cannot carry`;
    if (types.isDate(value) && !isFiniteNumber(timeOf(value)))
      return 'an invalid Date, which JSON cannot carry';
    if (!isTold && hasToJSON(value)) return undefined;
    // JSON writes what is in the box.
    if (types.isNumberObject(value)) return kindOfUnportable(numberIn(value), encoding, isTold);
    if (types.isSymbolObject(value)) return 'a symbol';
    if (types.isDate(value)) return 'a Date, of which JSON would carry nothing';
  } else {
    if (isView(value)) {
      return types.isSharedArrayBuffer(value.buffer) ? 'a view of shared memory' : undefined;
    }
    if (types.isArgumentsObject(value)) return 'an arguments object';
    if (types.isModuleNamespaceObject(value)) return 'a module';
  }
  const platformName = platformNameOf(getPrototypeOf(value) as object | null);
  return platformName === undefined ? undefined : `${article(platformName)} ${platformName}`;
}

// Objects of the platform that name themselves and are carried whole.
const carried = new Set(['Map', 'Set', 'ArrayBuffer', 'DataView', 'BigInt']);
const typedArray = /^(?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array$/;
type Verdicts = WeakMap<object, string | undefined>;
const verdicts: Verdicts = new WeakMap();

/** Says that nothing of the instances of a class of ours could arrive: `a pool`. */
export function neverTravels(prototype: object, name: string): void {
  judge(verdicts, prototype, name);
}

/**
 * The name of the platform's class that a prototype belongs to, where nothing of its state would arrive.
 * The platform's classes name themselves by `Symbol.toStringTag`, and their methods are not written in JavaScript
 * that a user could have written: `Headers` and its like are known without touching (and so loading) them.
 */
function platformNameOf(prototype: object | null): string | undefined {
  if (prototype === null || prototype === Object.prototype || prototype === Array.prototype) return undefined;
  const known = verdictOf(verdicts, prototype);
  if (known !== undefined || isJudged(verdicts, prototype)) return known;
  let verdict: string | undefined;
  const tag = getOwnPropertyDescriptor(prototype, Symbol.toStringTag);
  const name: unknown = tag?.get === undefined ? tag?.value : undefined;
  if (typeof name === 'string' && isIn(platformNames, name)) verdict = name;
  else if (typeof name === 'string' && (isIn(carried, name) || tests(typedArray, name))) verdict = undefined;
  else verdict = platformNameOf(getPrototypeOf(prototype) as object | null);
  judge(verdicts, prototype, verdict);
  return verdict;
}

const platformNames = new Set([
  // An error, of which name, code and message are not its own: of one that is thrown they travel (remote-error.ts).
  'DOMException',
  ...['URL', 'URLSearchParams', 'URLPattern', 'Blob', 'File', 'FormData', 'Headers', 'Request', 'Response'],
  ...['AbortController', 'AbortSignal', 'EventTarget', 'Event', 'MessageChannel', 'MessagePort', 'WebSocket'],
  ...[
    'ReadableStream',
    'WritableStream',
    'TransformStream',
    'TextEncoder',
    'TextDecoder',
    'CryptoKey',
    'Crypto',
  ],
  ...['CompressionStream', 'DecompressionStream', 'TextEncoderStream', 'TextDecoderStream', 'Performance'],
  ...['Promise', 'WeakMap', 'WeakSet', 'WeakRef', 'FinalizationRegistry', 'Generator', 'AsyncGenerator'],
  ...[
    'SharedArrayBuffer',
    'Array Iterator',
    'Map Iterator',
    'Set Iterator',
    'String Iterator',
    'Iterator Helper',
  ],
  ...['RegExp String Iterator', 'Iterator', 'BlockList', 'BroadcastChannel', 'EventSource', 'Storage'],
  ...['WebAssembly.Module', 'WebAssembly.Instance', 'WebAssembly.Memory', 'WebAssembly.Table'],
  ...['Intl.DateTimeFormat', 'Intl.NumberFormat', 'Intl.Collator', 'Intl.PluralRules', 'Intl.ListFormat'],
  ...['Intl.RelativeTimeFormat', 'Intl.Segmenter', 'Intl.Locale', 'Intl.DisplayNames', 'Intl.DurationFormat'],
  ...['Temporal.Instant', 'Temporal.PlainDate', 'Temporal.PlainTime', 'Temporal.PlainDateTime'],
  ...['Temporal.ZonedDateTime', 'Temporal.Duration', 'Temporal.PlainYearMonth', 'Temporal.PlainMonthDay'],
  ...['KeyObject', 'PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure'],
]);

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  const tag = cut(Object.prototype.toString.call(value).slice('[object '.length, -1));
  return tag === 'Object' ? 'object' : tag;
}

function article(noun: string): string {
  return /^[AEIO]/.test(noun) ? 'an' : 'a';
}

/** Why JSON.stringify does not take a value; undefined where it does. */
function refusalOf(value: unknown): string | undefined {
  try {
    stringify(value);
    return undefined;
  } catch (error) {
    const reason = refusedFor(error);
    return tests(/^refused \(Converting circular structure/, reason) ? 'a circular structure' : reason;
  }
}

function refusedFor(thrown: unknown): string {
  return `refused (${thrown instanceof Error ? String(thrown.message).slice(0, pathLengthMax) : 'no reason given'})`;
}

/** Whether structured clone takes this value as it is; for values that are dropped rather than refused. */
export function canTravel(value: unknown): boolean {
  if (findUnportable(value) !== undefined) return false;
  try {
    v8.serialize(value);
    return true;
  } catch {
    return false;
  }
}
