import { connect, Pool, task } from 'shoal';

const double = task(import.meta, (x: number) => x * 2);

export const mapsInside = task(import.meta, async (x: number) => {
  await using pool = new Pool({ processes: 1 });
  return pool.apply(double, [x]);
});

export const connectsInside = task(import.meta, async (address: string) => {
  await using pool = await connect(address);
  return pool.apply(double, [1]);
});
