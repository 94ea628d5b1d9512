/** The caller's half of remote-error.ts: an error again, out of its description. */
import { RemoteError } from '@shoal/errors';
import type { RemoteErrorCause, RemoteErrorData } from '../child-pool/chunk-request.ts';

const builtins: Readonly<Record<string, new (message: string) => Error>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
};

/**
 * Rebuild what was thrown: name, message, code, own fields, cause and the stack of the place where it was thrown.
 *
 * The built-in classes are kept, DOMException among them; an error of the user's own class is an `Error` with its name. What was no error
 * (a string, a Proxy) comes as a {@link RemoteError}, with the value itself as its `cause` where it could travel.
 */
export function rebuildThrown(data: RemoteErrorData): Error {
  if (data.thrown !== undefined) {
    const options = 'value' in data.thrown ? { cause: data.thrown.value } : undefined;
    return new RemoteError(`${data.message} was thrown, which is no Error`, data.name, options);
  }
  const error = build(data);
  if (error.name !== data.name) define(error, 'name', data.name);
  if (data.stack !== undefined) define(error, 'stack', data.stack);
  for (const [key, value] of Object.entries(data.fields ?? {})) define(error, key, value, true);
  // That of a DOMException comes with its name.
  if (data.code !== undefined && Reflect.get(error, 'code') !== data.code)
    define(error, 'code', data.code, true);
  if (data.cause !== undefined) define(error, 'cause', rebuildCause(data.cause));
  return error;
}

function build(data: RemoteErrorData): Error {
  if (data.errors !== undefined) return new AggregateError(data.errors.map(rebuildThrown), data.message);
  if (data.error !== undefined || data.suppressed !== undefined) {
    return new SuppressedError(rebuildCause(data.error), rebuildCause(data.suppressed), data.message);
  }
  if (data.isDomException) return new DOMException(data.message, data.name);
  const Kind = Object.hasOwn(builtins, data.name) ? builtins[data.name] : undefined;
  return new (Kind ?? Error)(data.message);
}

function rebuildCause(cause: RemoteErrorCause | undefined): unknown {
  if (cause === undefined) return undefined;
  return 'value' in cause ? cause.value : rebuildThrown(cause);
}

// Defined, not assigned: a field named `__proto__` or a read-only one must not do anything but be there.
function define(error: Error, key: string, value: unknown, enumerable: boolean = false): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
