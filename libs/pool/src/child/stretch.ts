/**
 * The tight loop: consecutive items of a function that returns values, without a promise, a timer, an object or a look
 * at the clock for each. A function of its own, called for a few items at a time: the compiler has it ready early.
 */
import { isThenable } from './awaited-items.ts';
import type { CurrentItem } from './current-item.ts';
import { endStacksAt } from './item-reports.ts';
import { onlyNumbers, runNumbers } from './number-stretch.ts';
import type { Part } from './part.ts';
import { millisecond, strideMax } from './stretch-clock.ts';
import type { TaskFunction } from './task-loader.ts';

endStacksAt(import.meta.url);

/**
 * Run items of a part, up to `until` at most, for about a millisecond: whoever calls has to look then whether results have to
 * leave. Ends earlier where the batch is full or the block is over, and after an item that has printed or asked who it is,
 * for somebody has to tidy up after it. `part.next` follows the item that was started last, also where that throws. The
 * answer is its promise, if it gave one.
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
  results.goOnAt(index);
  const numbers = spread ? undefined : block.numbersFor(index);
  const into = numbers === undefined ? undefined : results.borrowNumbers();
  if (numbers !== undefined && into !== undefined) {
    const other = runNumbers(part, run, numbers, block.first, end, into, current);
    if (other === onlyNumbers) return undefined;
    if (isThenable(other)) return other;
    results.push(other);
    return undefined;
  }
  const began = millisecond();
  let stride = 1;
  let look = index + stride;
  for (;;) {
    const item = block.take(index);
    const result = spread ? run(...(item as unknown[])) : run(item);
    if (isThenable(result)) return result;
    results.push(result);
    index += 1;
    if (index >= end || current.enteredContext !== undefined) return undefined;
    if (index >= look) {
      if (results.isFull || millisecond() !== began) return undefined;
      if (stride < strideMax) stride += stride;
      look = index + stride;
    }
    part.next = index + 1;
  }
}
