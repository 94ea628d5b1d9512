/**
 * A thrown value as plain data that can travel. Its other half, `rebuildThrown` in rebuilt-error.ts, runs at the
 * caller only: a child needs nothing but Node's own modules.
 *
 * Anything may be thrown: a string, undefined, a Proxy whose traps throw. Nothing here ever throws.
 */
import { Buffer } from 'node:buffer';
import { inspect, types } from 'node:util';
import type { Encoding, RemoteErrorCause, RemoteErrorData } from '../child-pool/chunk-request.ts';
import { defaultOutputLimits, type OutputLimits } from '../child-pool/output-limits.ts';
import { decodeValue, encodeValue } from './block-codec.ts';
import { canTravel } from './portable.ts';
import { soundError } from './sound-error.ts';

/** How many errors of an AggregateError travel. */
const errorsMax = 32;
/** A character takes six bytes at most (JSON, of a control character), and message and stack are two texts. */
const bytesPerChar = 12;
/** Name, code and what frames them. */
const restBytes = 8 * 1024;

type ErrorLimits = Pick<OutputLimits, 'errorChars' | 'errorDepth' | 'errorFields' | 'errorBytes'>;
/**
 * How deep causes are followed (errors deeper down are described in words), how long a message and a stack may be, how many
 * own fields are kept, and how much all of it is.
 */
let bounds: ErrorLimits = defaultOutputLimits;

/** What holds in this process from now on. */
export function limitErrors(limits: ErrorLimits): void {
  bounds = limits;
}

/** Describe a thrown value as plain data. */
export function describeThrown(thrown: unknown): RemoteErrorData {
  return describe(thrown, 0);
}

/** `Name: message`, at most 1 KiB. */
export function summarize(data: RemoteErrorData): string {
  const text = data.message === '' ? data.name : `${data.name}: ${data.message}`;
  return cut(text, 1_000);
}

/**
 * Write the description of an error; structured clone for `v8`, JSON for the others.
 *
 * Never more than `errorBytes` and never a failure: own fields, causes and thrown values go first where they are too big or
 * JSON has no words for them (a cycle); name, message and stack are cut until they fit.
 */
export function encodeError(encoding: Encoding, data: RemoteErrorData): Uint8Array {
  // By index: a task may have taken the iterator of lists away.
  const candidates = [data, withoutFields(data), bare(data)];
  for (let nth = 0; nth < candidates.length; nth++) {
    const bytes = read(() => encodeDescription(encoding, candidates[nth] as RemoteErrorData));
    if (bytes !== undefined && bytes.byteLength <= bounds.errorBytes) return bytes;
  }
  return encodeDescription(encoding, short(data));
}

function encodeDescription(encoding: Encoding, data: RemoteErrorData): Uint8Array {
  if (encoding === 'v8') return encodeValue(data);
  return Buffer.from(
    JSON.stringify(data, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
  );
}

/** What is always small: the error's own name, message, code and stack. */
function bare({ name, message, stack, code, isDomException }: RemoteErrorData): RemoteErrorData {
  return {
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    ...(code === undefined ? {} : { code: typeof code === 'string' ? cut(code, 256) : code }),
    ...(isDomException === undefined ? {} : { isDomException }),
  };
}

/** The same, so short that it fits whatever its characters are. */
function short(data: RemoteErrorData): RemoteErrorData {
  const { message, stack, ...rest } = bare(data);
  const chars = Math.floor((bounds.errorBytes - restBytes) / bytesPerChar);
  return {
    ...rest,
    message: cut(message, chars),
    ...(stack === undefined ? {} : { stack: cut(stack, chars) }),
  };
}

/** The same error and the errors behind it, without the values that they carry. */
function withoutFields(data: RemoteErrorData): RemoteErrorData {
  const { cause, error, errors, suppressed } = data;
  return {
    ...bare(data),
    ...(cause !== undefined && 'name' in cause ? { cause: withoutFields(cause) } : {}),
    ...(errors === undefined ? {} : { errors: errors.map(withoutFields) }),
    ...(error !== undefined && 'name' in error ? { error: withoutFields(error) } : {}),
    ...(suppressed !== undefined && 'name' in suppressed ? { suppressed: withoutFields(suppressed) } : {}),
  };
}

const unreadable: RemoteErrorData = { name: 'Error', message: 'The error could not be read.' };

/** Read what {@link encodeError} wrote. Never throws: what cannot be read gives a description that says so. */
export function decodeError(encoding: Encoding, bytes: Uint8Array): RemoteErrorData {
  try {
    const data =
      encoding === 'v8' ? decodeValue(bytes) : (JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown);
    return soundError(data, 0, new Set()) ?? unreadable;
  } catch {
    // The child is not to be trusted with more than its own item.
    return unreadable;
  }
}

function describe(thrown: unknown, depth: number): RemoteErrorData {
  try {
    return types.isNativeError(thrown) || (!types.isProxy(thrown) && thrown instanceof Error)
      ? describeError(thrown, depth)
      : describeOther(thrown);
  } catch {
    return inWords(thrown);
  }
}

// By its tag, which a task cannot take away with the global.
const tagOf: (value: object) => string = Function.prototype.call.bind(Object.prototype.toString);

function describeError(error: Error, depth: number): RemoteErrorData {
  const name = read(() => text(error.name)) ?? 'Error';
  const stack = read(() => text(error.stack));
  const code = read(() => ('code' in error ? error.code : undefined));
  const fields = fieldsOf(error);
  const cause = Object.hasOwn(error, 'cause') ? read(() => describeCause(error.cause, depth + 1)) : undefined;
  const errors =
    error instanceof AggregateError && depth < bounds.errorDepth
      ? read(() => [...error.errors].slice(0, errorsMax).map((inner) => describe(inner, depth + 1)))
      : undefined;
  return {
    name: cut(name, 256),
    message: cut(read(() => text(error.message)) ?? '', bounds.errorChars),
    ...(stack === undefined ? {} : { stack: cut(stack, bounds.errorChars) }),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(read(() => tagOf(error)) === '[object DOMException]' ? { isDomException: true } : {}),
    ...(fields === undefined ? {} : { fields }),
    ...(cause === undefined ? {} : { cause }),
    ...(errors === undefined ? {} : { errors }),
    ...(error instanceof SuppressedError ? describeSuppression(error, depth) : {}),
  };
}

/** Both are what `await using` has left of a task: neither is its cause. */
function describeSuppression(
  thrown: SuppressedError,
  depth: number,
): Pick<RemoteErrorData, 'error' | 'suppressed'> {
  const error = read(() => describeCause(thrown.error, depth + 1));
  const suppressed = read(() => describeCause(thrown.suppressed, depth + 1));
  return { ...(error === undefined ? {} : { error }), ...(suppressed === undefined ? {} : { suppressed }) };
}

function describeCause(cause: unknown, depth: number): RemoteErrorCause {
  if (depth > bounds.errorDepth) return inWords(cause);
  const isError = types.isNativeError(cause) || (!types.isProxy(cause) && cause instanceof Error);
  if (isError) return describe(cause, depth);
  return canTravel(cause) ? { value: cause } : inWords(cause);
}

// What has a place of its own in RemoteErrorData.
const named = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors']);

function fieldsOf(error: Error): Record<string, unknown> | undefined {
  const fields: Record<string, unknown> = {};
  let count = 0;
  for (const key of Object.keys(error)) {
    if (named.has(key) || key === '__proto__' || count >= bounds.errorFields) continue;
    const value = read(() => (error as unknown as Readonly<Record<string, unknown>>)[key]);
    if (value === undefined || !canTravel(value)) continue;
    fields[key] = value;
    count += 1;
  }
  return count === 0 ? undefined : fields;
}

function describeOther(thrown: unknown): RemoteErrorData {
  const { name, message } = inWords(thrown);
  return canTravel(thrown) ? { name, message, thrown: { value: thrown } } : inWords(thrown);
}

/** What can be said of a value about which nothing may be assumed. */
function inWords(thrown: unknown): RemoteErrorData {
  const description =
    read(() => (typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 1, customInspect: false }))) ??
    'a value that cannot be described';
  return {
    name: types.isProxy(thrown) ? 'Proxy' : typeof thrown,
    message: cut(description, bounds.errorChars),
    thrown: { description: cut(description, bounds.errorChars) },
  };
}

function read<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function cut(value: string, charsMax: number): string {
  return value.length <= charsMax ? value : `${value.slice(0, charsMax)}…`;
}
