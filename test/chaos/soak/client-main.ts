/**
 * The client of a soak as a process of its own: `node client-main.ts '{"address": …}'`. It streams items through the cluster
 * and compares each outcome with what the function makes of that item here, and its place with the item's. What it finds
 * it says in lines of JSON on stderr, as the services log.
 */
import { connect } from 'shoal';
import { type Order, outcomeOf } from '../work.ts';
import { Pace } from './pace.ts';
import { soakWork, tasksPerChild } from './soak-work.ts';

/** What a client is told. */
export interface ClientOrder {
  readonly address: string;
  readonly book: string;
  readonly items: number;
  readonly forMs: number;
  readonly slots: number;
}

/** Far more than runs at a time: while one item waits for its lost agent to be given up, the others go on. */
const bufferSize = 2_000;
const toldEveryMs = 1_000;

const { address, book, items, forMs, slots } = JSON.parse(process.argv[2] ?? '{}') as ClientOrder;
const pace = new Pace({ items, forMs, slots });
const startMs = performance.now();
/** Made, and without an outcome yet. */
const open: Order[] = [];
const counts = { done: 0, wrong: 0, failed: 0, workMs: 0 };

function tell(event: string, msg: string, facts: object = {}): void {
  process.stderr.write(`${JSON.stringify({ time: Date.now(), event: `client.${event}`, ...facts, msg })}\n`);
}

function* orders(): Generator<Order> {
  for (let item = 0; item < items; item++) {
    const order = {
      item,
      ms: pace.itemMs(performance.now() - startMs),
      book,
      // Bytes of every length, so that resets find messages of every length.
      ballast: 'x'.repeat(item % 499),
    };
    open.push(order);
    yield order;
  }
}

await using pool = await connect(address, {
  insecure: true,
  env: ['PATH', 'SHOAL_TEST_MARK'],
  maxTasksPerChild: tasksPerChild,
});
tell('connected', 'connected');
const telling = setInterval(() => tell('progress', `${counts.done} of ${items}`, counts), toldEveryMs);

// A hand-written loop: the stream goes on after an item that failed, which a `for await` would not.
for (const stream = pool.imap(soakWork, orders(), { bufferSize, settled: true }); ; ) {
  const { done, value: outcome } = await stream.next();
  if (done === true) break;
  const order = open.shift();
  pace.delivered(order?.ms ?? 0);
  counts.done += 1;
  counts.workMs += order?.ms ?? 0;
  if (outcome.status === 'rejected') {
    counts.failed += 1;
    tell('failed', outcome.error.message, { index: outcome.index, code: outcome.error.code });
  } else if (order === undefined || outcome.index !== order.item || outcome.value !== outcomeOf(order)) {
    counts.wrong += 1;
    const { index, value } = outcome;
    tell('wrong', `${value} came at ${index} for item ${order?.item}`);
  }
}
clearInterval(telling);
tell('done', `${counts.done} of ${items}`, counts);
