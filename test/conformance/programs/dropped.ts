// A stream that was dropped unread does not keep this process alive.
import { Pool } from 'shoal';

const pool = new Pool({ processes: 1 });
function* endless(): Generator<number> {
  for (let item = 0; ; item++) yield item;
}
console.log(JSON.stringify((await pool.imap((x: number) => x, endless()).next()).value));
