import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Ranked, RankQueue } from './rank-queue.ts';

class Member implements Ranked<Member> {
  level: Ranked<Member>['level'];
  ahead: Member | undefined;
  behind: Member | undefined;
  placedTurn = 0;
  strayed: Ranked<Member>['strayed'];
  rank = 0;
  turn = 0;
}

function ordered(members: Iterable<Member>): Member[] {
  return [...members].sort((a, b) => a.rank - b.rank || a.turn - b.turn);
}

test('whatever comes, moves and goes, the lowest rank goes first, and of equal ranks the lowest turn', () => {
  // Turns of now, and of long ago.
  const age = fc.constantFrom(0, 0, 0, 1.5, 7.5, 20.5);
  const deed = fc.tuple(fc.constantFrom('put', 'put', 'put', 'remove'), fc.nat(7), fc.nat(3), age);
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
      const queue = new RankQueue<Member>();
      const members = Array.from({ length: 8 }, () => new Member());
      const inIt = new Set<Member>();
      for (const [now, [what, which, rank, back]] of deeds.entries()) {
        const member = members[which] as Member;
        if (what === 'put') {
          // No two have one turn.
          Object.assign(member, { rank, turn: back === 0 ? now : now - back + which / 100 });
          queue.put(member, rank, member.turn);
          inIt.add(member);
        } else {
          queue.remove(member);
          inIt.delete(member);
        }
        expect(queue.top()).toBe(ordered(inIt)[0]);
        expect(members.filter((each) => queue.has(each))).toEqual(members.filter((each) => inIt.has(each)));
      }
      for (const next of ordered(inIt)) {
        expect(queue.top()).toBe(next);
        queue.remove(next);
      }
      expect(queue.top()).toBeUndefined();
    }),
  );
});

test('of those that come with the same turn the one that came first goes first', () => {
  const queue = new RankQueue<Member>();
  const [first, second] = [new Member(), new Member()];
  queue.put(first, 0, 0);
  queue.put(second, 0, 0);
  expect(queue.top()).toBe(first);
});
