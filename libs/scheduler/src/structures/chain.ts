/** A member of a chain: its neighbours are written in itself, so that no object more is needed. In one chain at most. */
export interface Chained<T> {
  previous: T | undefined;
  next: T | undefined;
  /** The chain that it is in. */
  chain: { remove(member: T): void } | undefined;
}

/** A queue whose members can leave from anywhere: everything takes the same time however long it is. */
export class Chain<T extends Chained<T>> {
  first: T | undefined;
  #last: T | undefined;

  /** Puts a member at the end, out of whatever chain it was in. */
  append(member: T): void {
    member.chain?.remove(member);
    member.chain = this;
    const last = this.#last;
    member.previous = last;
    if (last === undefined) this.first = member;
    else last.next = member;
    this.#last = member;
  }

  /** Takes a member of this chain out. */
  remove(member: T): void {
    const { next, previous } = member;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    member.previous = undefined;
    member.next = undefined;
    member.chain = undefined;
  }
}
