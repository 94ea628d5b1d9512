/** Runs something and says how long it took. */
export async function timed<T>(
  run: () => Promise<T>,
): Promise<{ readonly value: T; readonly seconds: number }> {
  const startedAt = performance.now();
  const value = await run();
  return { value, seconds: (performance.now() - startedAt) / 1000 };
}

/** `7.0 s`. */
export const inSeconds = (seconds: number): string => `${seconds.toFixed(1)} s`;

/** Ends the demo where something is not as promised: a demo that shows a wrong result must not end well. */
export function check(holds: boolean, promise: string): void {
  if (!holds) throw new Error(`Not as promised: ${promise}.`);
  console.log(`  ok  ${promise}`);
}
