/** Waits until `look` gives true, or fails with what it gave last: whoever sees something else gives that. */
export async function until(what: string, look: () => unknown, msMax: number = 30_000): Promise<void> {
  const deadline = performance.now() + msMax;
  let seen: unknown;
  while (performance.now() < deadline) {
    seen = look();
    if (seen === true) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${what}: not within ${msMax} ms; last seen: ${JSON.stringify(seen)}`);
}
