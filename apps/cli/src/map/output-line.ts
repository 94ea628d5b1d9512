import { ItemError } from '@shoal/errors';

/**
 * A result as a line of NDJSON; `undefined` is written as `null`.
 *
 * A result that JSON cannot say (a bigint, a cycle) is a failed item, named by the place in it.
 */
export function resultLine(value: unknown, index: number): string | ItemError {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (cause) {
    const found = bigintPath(value, '') ?? { path: 'it', kind: 'an object that contains itself' };
    return new ItemError({
      code: 'VALUE_NOT_PORTABLE',
      index,
      task: 'shoal map',
      attempts: [],
      facts: {
        what: `Result of item ${index}`,
        path: found.path,
        kind: `${found.kind}, which JSON cannot say`,
      },
      cause,
    });
  }
}

function bigintPath(
  value: unknown,
  path: string,
  depth: number = 0,
): { path: string; kind: string } | undefined {
  if (typeof value === 'bigint') return { path: path === '' ? 'it' : path, kind: 'a bigint' };
  if (typeof value !== 'object' || value === null || depth > 32) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = bigintPath(inner, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A failed item as a line of NDJSON, in the place where its result would be. */
export function errorLine(error: ItemError): string {
  const { code, index, message, task, agent, pid, attempts, cause } = error;
  const ownError = cause instanceof Error ? { name: cause.name, message: cause.message } : undefined;
  return JSON.stringify({ error: { code, index, message, task, agent, pid, attempts, cause: ownError } });
}
