// As dropped.ts, on the cluster at the address given.
import { connect } from 'shoal';

const pool = await connect(process.argv[2] ?? '');
function* endless(): Generator<number> {
  for (let item = 0; ; item++) yield item;
}
console.log(JSON.stringify((await pool.imap((x: number) => x, endless()).next()).value));
