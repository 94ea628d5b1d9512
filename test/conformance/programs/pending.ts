// Nothing but the pending map keeps this process alive.
import { Pool } from 'shoal';

const pool = new Pool({ processes: 1 });
pool
  .map((ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms)), [300])
  .then((out) => console.log(JSON.stringify(out)));
