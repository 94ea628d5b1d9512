/**
 * The tight loop: consecutive items of a function that returns values, without a promise, a timer, an object or a look
 * at the clock for each. A function of its own, called for a few items at a time: the compiler has it ready early.
 */
import { isThenable } from './awaited-items.ts';
import type { CurrentItem } from './current-item.ts';
import { endStacksAt } from './item-reports.ts';
import type { Part } from './part.ts';
import type { TaskFunction } from './task-loader.ts';

endStacksAt(import.meta.url);

/**
 * Run the items of a part up to `until`, or fewer: up to the end of their block, or up to one that has printed or
 * asked who it is, for somebody has to tidy up after it. `part.next` follows the item that was started last, also
 * where that throws. The answer is its promise, if it gave one.
 */
export function runStretch(
  part: Part,
  run: TaskFunction,
  until: number,
  current: CurrentItem,
): PromiseLike<unknown> | undefined {
  const { items, results } = part;
  const { spread } = part.task.spec;
  let index = part.next;
  part.next = index + 1;
  const block = items.blockOf(index);
  const end = Math.min(until, block.end);
  for (;;) {
    const item = block.take(index);
    const result = spread ? run(...(item as unknown[])) : run(item);
    if (isThenable(result)) return result;
    results.add(index, result);
    index += 1;
    if (index >= end || current.enteredContext !== undefined) return undefined;
    part.next = index + 1;
  }
}
