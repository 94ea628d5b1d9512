// An idle pool that nobody closed: the process ends by itself, and so do the children.
import { Pool } from 'shoal';

const pool = new Pool({ processes: 2 });
const out = await pool.map(() => process.pid, [1, 2, 3]);
console.log(JSON.stringify(out));
