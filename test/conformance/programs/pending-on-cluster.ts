// As pending.ts, on the cluster at the address given.
import { connect } from 'shoal';

const pool = await connect(process.argv[2] ?? '');
pool
  .map((ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms)), [300])
  .then((out) => console.log(JSON.stringify(out)));
