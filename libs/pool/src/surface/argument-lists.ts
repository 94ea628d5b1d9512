/** What `starmap` takes for the arguments of one call: the caller's mistakes must not be blamed on a function that never ran. */
import { types } from 'node:util';
import type { Facts } from '@shoal/errors';

const { isArray } = Array;
const { isMap, isSet, isTypedArray } = types;

/** Whether a value can be spread into arguments where it arrives: other iterables get there as plain objects. */
function isArgumentList(value: unknown): boolean {
  return isArray(value) || typeof value === 'string' || isSet(value) || isMap(value) || isTypedArray(value);
}

/** Where the first element is that is no list of arguments, from `from` on; undefined where there is none. */
export function findNoArgumentList(values: readonly unknown[], from: number = 0): number | undefined {
  for (let at = from; at < values.length; at++) if (!isArgumentList(values[at])) return at;
  return undefined;
}

/** The facts of ARGUMENTS_NOT_LIST for such an element. */
export function noArgumentListFacts(value: unknown): Facts {
  return { kind: kindOf(value) };
}

const lettersMax = 40;

function kindOf(value: unknown): string {
  switch (typeof value) {
    case 'number':
    case 'boolean':
    case 'bigint': {
      const text = String(value);
      const shown = text.length > lettersMax ? `${text.slice(0, lettersMax)}…` : text;
      return typeof value === 'boolean' ? shown : `the ${typeof value} ${shown}`;
    }
    case 'object':
      return value === null ? 'null' : 'an object';
    case 'undefined':
      return 'undefined';
    default:
      return `a ${typeof value}`;
  }
}
