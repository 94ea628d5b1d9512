/** How often a pool writes to a child, where there are many short chunks: every time is a system call, and may wake the child. */
import { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Pool } from '../pool.ts';

const { _write, _writev } = Socket.prototype;
/** Of this process, which has no other sockets than those to its children. */
let counted = { writes: 0, written: 0 };

beforeEach(() => {
  Socket.prototype._write = function (...parameters): void {
    counted.writes += 1;
    counted.written += 1;
    _write.apply(this, parameters);
  };
  Socket.prototype._writev = function (...parameters): void {
    counted.writes += 1;
    counted.written += parameters[0].length;
    _writev?.apply(this, parameters);
  };
});
afterEach(() => Object.assign(Socket.prototype, { _write, _writev }));

test('the orders for 50 short chunks leave in fewer than 25 writes: those of one turn of the event loop together', async () => {
  await using pool = new Pool({ processes: 1, stdio: 'ignore' });
  const chunks = 50;
  const items = Array.from({ length: chunks }, (_, index) => index);
  const rounds: (typeof counted)[] = [];
  for (let round = 0; round < 10; round++) {
    counted = { writes: 0, written: 0 };
    expect(await pool.map((x: number) => x + 1, items, { chunkSize: 1 })).toEqual(items.map((x) => x + 1));
    rounds.push(counted);
  }
  // In the first one the child starts. On a busy machine the pool may be called away after each chunk, now and then.
  const median = (of: (round: typeof counted) => number): number | undefined =>
    rounds
      .slice(1)
      .map(of)
      .toSorted((one, other) => one - other)[4];
  const [written, writes] = [median((round) => round.written), median((round) => round.writes)];
  expect(written, 'an order for each').toBeGreaterThanOrEqual(chunks);
  expect(writes, JSON.stringify(rounds)).toBeLessThan(chunks / 2);
});
