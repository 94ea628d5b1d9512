/**
 * The description of an error, checked field by field: task code ran where it was written. What is not as it should be is
 * left out, so that whoever rebuilds it, words it or translates its paths may take the rest for granted.
 */
import type { RemoteErrorCause, RemoteErrorData } from '../child-pool/chunk-request.ts';

/** How deep errors may lie behind one another: far more than a child describes, far less than fills a stack. */
const depthMax = 128;
/** How many errors stand behind one. */
const errorsMax = 1_024;

type Thrown = NonNullable<RemoteErrorData['thrown']>;

/**
 * Undefined where it is no error at all. `seen`: what was looked at already. Each error stands in one place only; one that
 * stands behind itself, or twice behind each of two, would never end.
 */
export function soundError(data: unknown, depth: number, seen: Set<object>): RemoteErrorData | undefined {
  if (!isObject(data) || depth > depthMax || seen.has(data)) return undefined;
  seen.add(data);
  const { code, fields, message, name, stack } = data;
  if (typeof name !== 'string' || typeof message !== 'string') return undefined;
  const cause = soundCause(data['cause'], depth, seen);
  const errors = soundErrors(data['errors'], depth, seen);
  const error = soundCause(data['error'], depth, seen);
  const suppressed = soundCause(data['suppressed'], depth, seen);
  const thrown = soundThrown(data['thrown']);
  return {
    name,
    message,
    ...(typeof stack === 'string' ? { stack } : {}),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(data['isDomException'] === true ? { isDomException: true } : {}),
    ...(isObject(fields) ? { fields } : {}),
    ...(cause === undefined ? {} : { cause }),
    ...(errors === undefined ? {} : { errors }),
    ...(error === undefined ? {} : { error }),
    ...(suppressed === undefined ? {} : { suppressed }),
    ...(thrown === undefined ? {} : { thrown }),
  };
}

function soundCause(cause: unknown, depth: number, seen: Set<object>): RemoteErrorCause | undefined {
  if (!isObject(cause)) return undefined;
  return 'value' in cause ? { value: cause['value'] } : soundError(cause, depth + 1, seen);
}

function soundErrors(errors: unknown, depth: number, seen: Set<object>): RemoteErrorData[] | undefined {
  if (!Array.isArray(errors) || errors.length > errorsMax) return undefined;
  const sound = errors.map((error) => soundError(error, depth + 1, seen));
  // By index: a hole is no error either, and map() leaves it where it is.
  for (let at = 0; at < sound.length; at++) if (sound[at] === undefined) return undefined;
  return sound as RemoteErrorData[];
}

function soundThrown(thrown: unknown): Thrown | undefined {
  if (!isObject(thrown)) return undefined;
  if ('value' in thrown) return { value: thrown['value'] };
  const { description } = thrown;
  return typeof description === 'string' ? { description } : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
