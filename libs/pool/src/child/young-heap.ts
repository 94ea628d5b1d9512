/**
 * What a spawned child has for young objects. V8 begins with a megabyte, which is full when a task and its first modules
 * are there: all that lives is copied then, in the middle of the start, by several threads. With two, a child that does
 * little never collects, nor touches the memory that it would copy to.
 *
 * Written with underscores, as V8 writes it and hardly anybody else: by that it is known again.
 */
const ownOption = '--min_semi_space_size=2';

/** What Node is told before everything else; nothing where the user himself has decided. */
export function youngHeap(
  execArgv: readonly string[],
  env: Readonly<Record<string, string>>,
): readonly string[] {
  const told = [...execArgv, env['NODE_OPTIONS'] ?? ''].some((option) => /semi[-_]space/.test(option));
  return told ? [] : [ownOption];
}

/** Ours, not the user's: threads of his would be refused it. */
export function hideYoungHeap(): void {
  const [first, ...others] = process.execArgv;
  if (first === ownOption) process.execArgv = others;
}
