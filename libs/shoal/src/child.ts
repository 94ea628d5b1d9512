/**
 * What `shoal` is in a child process: the same names, without the pool behind them. Task modules import `shoal` for `task`
 * and `current`; loading the pool for that took three times as long as starting Node. A pool inside a task loads it then.
 */
import { createRequire } from 'node:module';
import type * as Full from './index.ts';

export {
  InitializerError,
  ItemError,
  JobCancelledError,
  PoolClosedError,
  PoolTerminatedError,
  RemoteError,
  ShoalError,
  TimeoutError,
} from '@shoal/errors';
export { current, task } from '@shoal/pool/task';

const require = createRequire(import.meta.url);
const pool = (): Pick<typeof Full, 'Pool' | 'PrintWriter'> => require('@shoal/pool');

/** A class that is loaded when somebody does anything with it. */
function lazy<C extends new (...args: never[]) => object>(load: () => C): C {
  // A function, because a class would insist on a prototype of its own.
  const standIn: C = new Proxy(function standIn() {} as unknown as C, {
    construct: (_, args, newTarget): object => {
      const actual = load();
      return Reflect.construct(actual, args, newTarget === standIn ? actual : newTarget);
    },
    get: (_, key) => Reflect.get(load(), key),
    getPrototypeOf: () => Reflect.getPrototypeOf(load()),
    has: (_, key) => Reflect.has(load(), key),
  });
  return standIn;
}

export const Pool: typeof Full.Pool = lazy(() => pool().Pool);
export const PrintWriter: typeof Full.PrintWriter = lazy(() => pool().PrintWriter);

export const connect: typeof Full.connect = async (address, options) => {
  const client = await import('@shoal/client');
  return client.connect(address, options);
};
