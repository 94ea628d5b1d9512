/** A client as a process of its own, so that a test can kill it: `node client-main.ts ADDRESS BOOK COUNT MS`. */
import { connect } from 'shoal';
import { type Order, work } from './work.ts';

const [address = '', book = '', count = '', ms = ''] = process.argv.slice(2);
const orders = Array.from({ length: Number(count) }, (_, item): Order => ({ item, ms: Number(ms), book }));
await using pool = await connect(address, { env: ['PATH', 'SHOAL_TEST_MARK'], insecure: true });
console.log(JSON.stringify(await pool.map(work, orders)));
