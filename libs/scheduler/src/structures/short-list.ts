/**
 * Takes a value out of a list of a few and keeps the order of the others. False: it is not in it, and the list stays as it is.
 *
 * What is looked for is near the front: what came first is done first. By hand, because each of the array's own methods
 * costs more than moving eight members.
 */
export function takeOut<T>(list: T[], value: T): boolean {
  const { length } = list;
  let at = 0;
  while (at < length && list[at] !== value) at += 1;
  if (at === length) return false;
  for (; at < length - 1; at += 1) list[at] = list[at + 1] as T;
  list.pop();
  return true;
}
