import { connect, type MapPool, Pool } from 'shoal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Allocations, countedIncrement } from './item-objects-work.ts';
import { TestCluster } from './test-cluster.ts';

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.stop());

const count = 500_000;
// A number that is an object has 16 bytes, an empty object 24 or more, a promise 56.
const childMax = 12;
// The list of results has eight bytes for each; buffers, messages and their events are objects, too, and many items share them.
const callerMax = 20;
const clusterMax = 34;

const items = Array.from({ length: count }, (_, index) => index);
const work = new URL('./item-objects-work.ts', import.meta.url);
const options = { export: countedIncrement.name };

/** Bytes of objects for an item: in this process, and in the child. */
async function bytesAnItem(pool: MapPool): Promise<{ here: number; child: number }> {
  // Twice, for what is compiled and loaded on the way is not an item's.
  await pool.map(work, items, options);
  const allocations = new Allocations();
  const results = await pool.map(work, items, options);
  const here = allocations.stop() / count;
  expect(results[count - 2]).toBe(count - 1);
  return { here, child: Number(results[count - 1]) / count };
}

test('no item has an object of its own between caller and child, on one machine', async () => {
  await using pool = new Pool({ processes: 1 });
  const { child, here } = await bytesAnItem(pool);
  expect(here).toBeLessThan(callerMax);
  expect(child).toBeLessThan(childMax);
});

test('nor has it one in a client, a coordinator and an agent together', async () => {
  await cluster.start();
  await cluster.agent({ processes: 1 });
  await using pool = await connect(cluster.coordinator.address);
  const { child, here } = await bytesAnItem(pool);
  expect(here).toBeLessThan(clusterMax);
  expect(child).toBeLessThan(childMax);
});
