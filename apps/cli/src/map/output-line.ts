import { ItemError } from '@shoal/errors';

/**
 * A result as a line of NDJSON; `undefined` is written as `null`, a Date as its ISO text.
 *
 * A result that JSON cannot say (a bigint, a cycle), or would say wrongly (a Map as `{}`, NaN as `null`), is a failed
 * item, named by the place in it.
 */
export function resultLine(value: unknown, index: number): string | ItemError {
  let line: string | undefined;
  let failure: unknown;
  try {
    line = JSON.stringify(value) ?? 'null';
  } catch (error) {
    failure = error;
  }
  // What JSON.stringify took contains no cycle, so the search ends; what it refused may.
  const found = unsayable(value, line === undefined ? 32 : Number.POSITIVE_INFINITY);
  if (line !== undefined && found === undefined) return line;
  const { path, kind } = found ?? { path: '', kind: 'an object that contains itself' };
  return new ItemError({
    code: 'VALUE_NOT_PORTABLE',
    index,
    task: 'shoal map',
    attempts: [],
    facts: {
      what: `Result of item ${index}`,
      path: path === '' ? 'it' : path,
      kind: `${kind}, which JSON cannot say`,
    },
    cause: failure,
  });
}

/** A part of a value that JSON has no words for. */
interface Unsayable {
  readonly path: string;
  readonly kind: string;
}

function unsayable(value: unknown, depthLeft: number): Unsayable | undefined {
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : { path: '', kind: `the number ${value}` };
  }
  if (typeof value === 'bigint') return { path: '', kind: 'a bigint' };
  if (typeof value !== 'object' || value === null || depthLeft === 0) return undefined;
  if (value instanceof Number || value instanceof BigInt) return unsayable(value.valueOf(), depthLeft);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = unsayable(value[index], depthLeft - 1);
      if (found !== undefined) return { path: `[${index}]${found.path}`, kind: found.kind };
    }
    return undefined;
  }
  const kind = foreignKind(value);
  if (kind !== undefined) return { path: '', kind };
  for (const key of Object.keys(value)) {
    const found = unsayable((value as Readonly<Record<string, unknown>>)[key], depthLeft - 1);
    if (found !== undefined) return { path: `.${key}${found.path}`, kind: found.kind };
  }
  return undefined;
}

/** What an object is whose content JSON would lose; undefined for a plain one, and for what JSON has words for. */
function foreignKind(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : undefined;
  if (value instanceof Error) return withArticle(value.name);
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const isSayable = ['Object', 'String', 'Number', 'Boolean'].includes(tag);
  return isSayable ? undefined : withArticle(tag);
}

const withArticle = (noun: string): string => `${/^[AEIO]/.test(noun) ? 'an' : 'a'} ${noun}`;

/** A failed item as a line of NDJSON, in the place where its result would be; `message` is what stderr says of it, too. */
export function errorLine(error: ItemError, message: string): string {
  const { code, index, task, agent, pid, attempts, cause } = error;
  const ownError = cause instanceof Error ? { name: cause.name, message: cause.message } : undefined;
  return JSON.stringify({ error: { code, index, message, task, agent, pid, attempts, cause: ownError } });
}
