import { runInThisContext } from 'node:vm';

/** Says of an error whether `retryOn` lets its item be tried again. */
export type RetryFilter = (error: unknown) => boolean;

/** Compile `retryOn`. A predicate that throws, or cannot be compiled, retries nothing, and the first time says so on stderr. */
export function retryFilter(
  retryOn: { readonly names: readonly string[] } | { readonly source: string } | undefined,
): RetryFilter {
  if (retryOn === undefined) return () => true;
  let decide: RetryFilter;
  try {
    decide = 'names' in retryOn ? matches(retryOn.names) : predicate(retryOn.source);
  } catch (trouble) {
    decide = () => {
      throw trouble;
    };
  }
  let isSaid = false;
  return (error) => {
    try {
      return decide(error);
    } catch (trouble) {
      if (!isSaid) console.error(`retryOn failed, so nothing is tried again: ${String(trouble)}`);
      isSaid = true;
      return false;
    }
  };
}

/** By name, by code, or by the name of one of its classes. */
function matches(names: readonly string[]): RetryFilter {
  return (error) => {
    if (typeof error !== 'object' || error === null) return false;
    const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
    if (names.includes(String(name)) || (code !== undefined && names.includes(String(code)))) return true;
    for (let at: unknown = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
      if (names.includes((at as object).constructor.name)) return true;
    }
    return false;
  };
}

function predicate(source: string): RetryFilter {
  const decide: unknown = runInThisContext(`'use strict'; (${source})`, { filename: 'shoal-inline:retryOn' });
  return (error) => typeof decide === 'function' && Boolean(decide(error));
}
