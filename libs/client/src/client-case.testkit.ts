import { afterEach, beforeEach } from 'vitest';
import { FakeCoordinator } from './fake-coordinator.testkit.ts';

export const plusOne = (n: number): number => n + 1;
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A coordinator for each test of a file, gone after it. */
export function eachWithCoordinator(given: (coordinator: FakeCoordinator) => void): void {
  let coordinator: FakeCoordinator;
  beforeEach(async () => {
    coordinator = await FakeCoordinator.start();
    given(coordinator);
  });
  afterEach(() => coordinator[Symbol.asyncDispose]());
}

/** What a promise rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It did not reject.');
}
