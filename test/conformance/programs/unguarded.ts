// Python's classic: the pool is created whenever the module loads, in the children too.
import { Pool, type ShoalError, task } from 'shoal';

const double = task(import.meta, (x: number) => x * 2);
const pool = new Pool({ processes: 1 });
try {
  console.log(JSON.stringify(await pool.map(double, [1])));
} catch (error) {
  const { code, message } = error as ShoalError;
  console.log(code, message);
}
