// Python's classic: the pool is created whenever the module loads, on the agents too.
import { Pool, task } from 'shoal';

export const double = task(import.meta, (x: number) => x * 2);

await using pool = new Pool({ processes: 1 });
await pool.map(double, [1]);
