import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap, Seat } from './heap.ts';

test('whatever comes, moves and goes, values leave a heap in order', () => {
  const deed = fc.tuple(fc.constantFrom('put', 'move', 'remove'), fc.nat(30), fc.integer());
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
      const heap = new Heap<{ rank: number }>((a, b) => a.rank < b.rank);
      const seats: Array<Seat<{ rank: number }>> = [];
      for (const [what, which, rank] of deeds) {
        const seat = seats[which % Math.max(1, seats.length)];
        if (what === 'put' || seat === undefined) {
          const added = new Seat({ rank });
          seats.push(added);
          heap.put(added);
        } else if (what === 'move') {
          seat.value.rank = rank;
          heap.put(seat);
        } else {
          heap.remove(seat);
        }
      }
      const expected = seats.filter(({ index }) => index >= 0).map(({ value }) => value.rank);
      const popped: number[] = [];
      for (let next = heap.pop(); next; next = heap.pop()) popped.push(next.rank);
      expect(popped).toEqual(expected.toSorted((a, b) => a - b));
    }),
  );
});
