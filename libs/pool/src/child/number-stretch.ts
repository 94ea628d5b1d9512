/** The tight loop once more, for items that are numbers: nothing is left of it but the call. */
import type { CurrentItem } from './current-item.ts';
import { endStacksAt } from './item-reports.ts';
import type { NumberRun } from './number-run.ts';
import type { Part } from './part.ts';
import { millisecond, strideMax } from './stretch-clock.ts';
import type { TaskFunction } from './task-loader.ts';

endStacksAt(import.meta.url);

/** Nothing but numbers came out. */
export const onlyNumbers: unique symbol = Symbol('only numbers');

/**
 * As `runStretch`, from the item before `part.next` on, while results are numbers and there is room for them. The answer is
 * the first result that is none: it belongs to the item that was started last.
 */
export function runNumbers(
  part: Part,
  run: TaskFunction,
  items: Int32Array | Float64Array,
  firstItem: number,
  until: number,
  results: NumberRun,
  current: CurrentItem,
): unknown {
  const { values } = results;
  let { count } = results;
  let index = part.next - 1;
  const end = Math.min(until, index + values.length - count);
  const began = millisecond();
  let stride = 1;
  let look = index + stride;
  for (;;) {
    const result = run(items[index - firstItem]);
    if (typeof result !== 'number') return result;
    values[count] = result;
    count += 1;
    // At once: the next item may end the process, and what is done is sent then.
    results.count = count;
    index += 1;
    if (index >= end || current.enteredContext !== undefined) return onlyNumbers;
    if (index >= look) {
      if (millisecond() !== began) return onlyNumbers;
      if (stride < strideMax) stride += stride;
      look = index + stride;
    }
    part.next = index + 1;
  }
}
