/** Bytes as a stream gives them: cut wherever it pleases. */
export async function* chunksOf(
  content: string | Uint8Array,
  bytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const whole = typeof content === 'string' ? Buffer.from(content) : content;
  for (let at = 0; at < whole.length; at += bytes) yield whole.subarray(at, at + bytes);
}

/** All that an iterable gives, and the error that ended it. */
export async function gathered(
  items: AsyncIterable<unknown>,
): Promise<{ items: unknown[]; error?: unknown }> {
  const found: unknown[] = [];
  try {
    for await (const item of items) found.push(item);
  } catch (error) {
    return { items: found, error };
  }
  return { items: found };
}
