// A client with one long stream: `node streaming-client.ts ADDRESS ITEMS BYTES`, as a child of stopped-client.ts. Items are
// numbers, which come back one higher; with BYTES they are texts of so many bytes, which come back as they are.
import { connect } from 'shoal';
import { tasksUrl } from '../peer.ts';

/** Told to the parent, every hundredth part of the stream and at its end. */
export interface Taken {
  readonly taken: number;
  /** Results that are not what they should be, in sum. */
  readonly amiss: number;
}

const [address = '', count = '0', bytes = '0'] = process.argv.slice(2);
const [items, itemBytes] = [Number(count), Number(bytes)];
const step = Math.max(1, Math.floor(items / 100));

function* input(): Generator<number | string> {
  for (let index = 0; index < items; index += 1) {
    yield itemBytes === 0 ? index : `${index}:`.padEnd(itemBytes, 'x');
  }
}

process.once('disconnect', () => process.exit(1));
await using pool = await connect(address);
const results: AsyncIterable<number | string> =
  itemBytes === 0
    ? pool.imapUnordered(tasksUrl, input(), { export: 'increment' })
    : pool.imapUnordered(tasksUrl, input(), { export: 'echo' });
let [taken, sum] = [0, 0];
for await (const result of results) {
  taken += 1;
  sum += typeof result === 'number' ? result - 1 : Number.parseInt(result, 10);
  if (taken % step === 0 && taken < items) process.send?.({ taken, amiss: 0 } satisfies Taken);
}
process.send?.({ taken, amiss: sum - (items * (items - 1)) / 2 } satisfies Taken);
process.disconnect();
