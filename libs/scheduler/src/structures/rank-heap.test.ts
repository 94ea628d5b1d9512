import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Seat } from './heap.ts';
import { RankHeap } from './rank-heap.ts';

interface Ranked {
  rank: number;
  turn: number;
}

test('whatever comes, moves and goes, the lowest rank is on top, and of equal ranks the lowest turn', () => {
  const deed = fc.tuple(fc.constantFrom('put', 'move', 'remove'), fc.nat(30), fc.nat(5), fc.nat(5));
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
      const heap = new RankHeap<Ranked>();
      const seats: Array<Seat<Ranked>> = [];
      for (const [what, which, rank, turn] of deeds) {
        let seat = seats[which % Math.max(1, seats.length)];
        if (what === 'put' || seat === undefined) {
          seat = new Seat({ rank, turn });
          seats.push(seat);
          heap.put(seat, rank, turn);
        } else if (what === 'move') {
          Object.assign(seat.value, { rank, turn });
          heap.put(seat, rank, turn);
        } else heap.remove(seat);
        expect(heap.size).toBe(seats.filter(({ index }) => index >= 0).length);
      }
      const inIt = seats.filter(({ index }) => index >= 0);
      inIt.sort((a, b) => a.value.rank - b.value.rank || a.value.turn - b.value.turn);
      for (const { value } of inIt) {
        expect({ ...heap.top() }).toEqual(value);
        expect({ rank: heap.topRank, turn: heap.topTurn }).toEqual(value);
        heap.remove(seats.find((seat) => seat.value === heap.top()) as Seat<Ranked>);
      }
      expect(heap.top()).toBeUndefined();
    }),
  );
});
