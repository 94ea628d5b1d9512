import type { Bytes } from './messages.ts';

/** A block as children read it: the job's number, then the index of each item. */
export function encoded(name: string, first: number, count: number): Uint8Array {
  const words = new Uint32Array(count + 1);
  words[0] = Number(name.slice('job-'.length));
  for (let at = 0; at < count; at += 1) words[1 + at] = first + at;
  return new Uint8Array(words.buffer);
}

/** What the child finds where the argument of an item is: blocks hold a job's number and the index, four bytes each. */
export function argumentIn(blocks: readonly Bytes[], index: number): { job: string; index: number } {
  const block = blocks.find(({ first, count }) => index >= first && index < first + count);
  if (block === undefined) return { job: 'none', index: -1 };
  const words = new Uint32Array(block.bytes.buffer);
  return { job: `job-${words[0]}`, index: words[1 + index - block.first] ?? -1 };
}
