/** Whom a death concerns. */
import type { IndexRange } from './chunk.ts';
import type { Part } from './chunk-record.ts';
import { IndexSet } from './index-set.ts';

/** Who may have been running when the child died: exactly, where that is known. */
export function suspectsOf(part: Part): IndexRange[] {
  if (!part.hasBegun) return [];
  const { child, chunk } = part;
  if (child.exiting !== undefined) {
    const running = child.exiting.filter(
      (item) => item.chunk === chunk.spec.chunk && part.open.has(item.index),
    );
    return singly(running.map((item) => item.index));
  }
  if (chunk.spec.marksStarts) return singly(part.started.keys());
  return part.open.ranges();
}

/** What began of a part and must not run again, although nobody blames it for the end of its child. */
export function begunForGood(part: Part): IndexRange[] {
  // At most once needs exact blame, so the scheduler had every start marked.
  if (part.chunk.spec.runsOnce === undefined) return [];
  return singly([...part.started.keys()].filter((index) => part.open.has(index)));
}

function singly(indices: Iterable<number>): IndexRange[] {
  const set = new IndexSet();
  for (const first of new Set(indices)) set.add({ first, count: 1 });
  return set.ranges();
}

/** What had not started: the part's other items, and those of the chunk that no child was given. */
export function rest(part: Part): IndexRange[] {
  const set = new IndexSet(part.open.ranges());
  for (const range of part.chunk.todo.ranges()) set.add(range);
  return set.ranges();
}
