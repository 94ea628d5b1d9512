/** One field of many records, as it travels: numbers as they are packed, or a list where something else is among them. */
import { asIntegers, type ValueList } from './number-list.ts';

// Taken at start: in a child, tasks may replace them.
const { Float64Array: Numbers } = globalThis;

export class Column {
  #numbers: Float64Array<ArrayBuffer> | undefined;
  #list: unknown[] | undefined;
  #count = 0;

  /** `max`: how many it takes. */
  constructor(max: number, isNumeric: boolean) {
    if (isNumeric) this.#numbers = new Numbers(max);
    else this.#list = [];
  }

  add(field: unknown): void {
    if (this.#numbers !== undefined && typeof field === 'number') this.#numbers[this.#count] = field;
    else (this.#list ?? this.#unpack())[this.#count] = field;
    this.#count += 1;
  }

  /** What was added; nothing can be added any more. */
  take(): ValueList {
    return this.#list ?? asIntegers(this.#numbers as Float64Array<ArrayBuffer>);
  }

  /** Something else comes after numbers. */
  #unpack(): unknown[] {
    const numbers = this.#numbers as Float64Array;
    // By hand: in a child, a task may have replaced what would do it.
    const list: unknown[] = [];
    for (let at = 0; at < this.#count; at++) list[at] = numbers[at];
    this.#numbers = undefined;
    this.#list = list;
    return list;
  }
}
