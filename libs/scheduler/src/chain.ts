/** A value's place in a chain. It is in one chain at most, or in none. */
export class Link<T> {
  readonly value: T;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
  chain: Chain<T> | undefined;

  constructor(value: T) {
    this.value = value;
  }
}

/** A queue whose members can leave from anywhere: everything takes the same time however long it is. */
export class Chain<T> {
  first: Link<T> | undefined;
  #last: Link<T> | undefined;

  /** Puts a link at the end, out of whatever chain it was in. */
  append(link: Link<T>): void {
    link.chain?.remove(link);
    link.chain = this;
    link.previous = this.#last;
    if (this.#last === undefined) this.first = link;
    else this.#last.next = link;
    this.#last = link;
  }

  /** Takes a link of this chain out. */
  remove(link: Link<T>): void {
    if (link.previous === undefined) this.first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.#last = link.previous;
    else link.next.previous = link.previous;
    link.previous = undefined;
    link.next = undefined;
    link.chain = undefined;
  }
}
