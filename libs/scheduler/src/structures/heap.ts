/** A value's place in a heap, so that it can move or leave without being looked for. */
export class Seat<T> {
  readonly value: T;
  /** Position in the heap; -1: in none. */
  index = -1;

  constructor(value: T) {
    this.value = value;
  }
}

/** A binary heap: the value that comes before all others is on top. */
export class Heap<T> {
  readonly #seats: Array<Seat<T>> = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#seats.length;
  }

  top(): T | undefined {
    return this.#seats[0]?.value;
  }

  /** Seats a value, or puts it where it belongs after its order has changed. */
  put(seat: Seat<T>): void {
    if (seat.index < 0) {
      seat.index = this.#seats.length;
      this.#seats.push(seat);
    }
    this.#settle(seat);
  }

  /** Takes a value out; nothing happens when it is not in. */
  remove(seat: Seat<T>): void {
    const { index } = seat;
    if (index < 0) return;
    const last = this.#seats.pop() as Seat<T>;
    seat.index = -1;
    if (last !== seat) {
      this.#seats[index] = last;
      last.index = index;
      this.#settle(last);
    }
  }

  pop(): T | undefined {
    const top = this.#seats[0];
    if (top === undefined) return undefined;
    this.remove(top);
    return top.value;
  }

  /** Every value, in no order. */
  *values(): Generator<T> {
    for (const seat of this.#seats) yield seat.value;
  }

  #settle(seat: Seat<T>): void {
    const seats = this.#seats;
    let at = seat.index;
    while (at > 0) {
      const parentAt = (at - 1) >>> 1;
      const parent = seats[parentAt] as Seat<T>;
      if (!this.#before(seat.value, parent.value)) break;
      seats[at] = parent;
      parent.index = at;
      at = parentAt;
    }
    for (;;) {
      let childAt = at * 2 + 1;
      let child = seats[childAt];
      if (child === undefined) break;
      const right = seats[childAt + 1];
      if (right !== undefined && this.#before(right.value, child.value)) {
        child = right;
        childAt += 1;
      }
      if (!this.#before(child.value, seat.value)) break;
      seats[at] = child;
      child.index = at;
      at = childAt;
    }
    seats[at] = seat;
    seat.index = at;
  }
}
