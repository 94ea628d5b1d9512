import type { GroupShare } from './pool-event.ts';

interface Cap {
  /** Children that may be busy for the group. */
  children: number;
  order: number;
  /** Chunks that say how many. */
  chunks: number;
}

/**
 * How many children may be busy at once for each group that has a cap: as its newest chunk says. A cap lives as long as
 * chunks that name one: without any there is nothing that it could hold back.
 */
export class GroupCaps {
  readonly #caps = new Map<string, Cap>();

  add({ id, order, slots }: GroupShare): void {
    const cap = this.#caps.get(id);
    if (cap === undefined) {
      if (slots !== undefined) this.#caps.set(id, { children: slots, order, chunks: 1 });
      return;
    }
    if (slots !== undefined) cap.chunks += 1;
    // A chunk can come late: its job was still being prepared.
    if (order < cap.order) return;
    cap.order = order;
    cap.children = slots ?? Number.POSITIVE_INFINITY;
  }

  remove({ id, slots }: GroupShare): void {
    const cap = this.#caps.get(id);
    if (cap === undefined || slots === undefined) return;
    cap.chunks -= 1;
    if (cap.chunks === 0) this.#caps.delete(id);
  }

  of(group: string): number {
    return this.#caps.get(group)?.children ?? Number.POSITIVE_INFINITY;
  }
}
