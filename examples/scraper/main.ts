import { parseArgs } from 'node:util';
import { connect, type MapPool, Pool } from 'shoal';
import { type Scrape, scrape } from './scrape.ts';
import { linksOf, Site, titleOf } from './site.ts';

const { values } = parseArgs({
  options: {
    pages: { type: 'string', default: '10000' },
    share: { type: 'string', default: '400' },
    'latency-ms': { type: 'string', default: '50' },
  },
});
const pages = Number(values.pages);
const latencyMs = Number(values['latency-ms']);
// One at a time, all pages would take minutes: a share of them shows as much.
const share = Math.min(Number(values.share), Math.floor(pages / 2));
const hangingPage = Math.floor(pages / 2);
const brokenPage = Math.floor((pages * 2) / 3);
const timeoutMs = 5000;

await using site = await Site.start({ pages, latencyMs, hangingPage, brokenPage });
const address = process.env['SHOAL_ADDRESS'] ?? '';
await using pool: MapPool =
  address === '' ? new Pool({ processes: 4 }) : await connect(address, { processes: 4, insecure: true });

const where = address === '' ? 'this machine' : 'a cluster';
console.log(`${count(pages)} pages, ${latencyMs} ms each; 4 processes on ${where}\n`);

const slow = await scrape(pool, site.urls(share), { atOncePerChild: 1, timeoutMs });
report('4 x 1 at a time', share, slow);
console.log(`  a share of them; all would take ${(pages / slow.pagesPerSecond).toFixed(0)} s`);

site.resetCounts();
const fast = await scrape(pool, site.urls(), { atOncePerChild: 25, timeoutMs });
report('4 x 25 at a time', pages, fast);
console.log(`  ${(fast.pagesPerSecond / slow.pagesPerSecond).toFixed(1)} times as many pages a second\n`);

for (const { index, code, message } of fast.failures) console.log(`page ${index}: ${code}: ${message}`);
console.log(
  `${site.requests - pages} pages were under way beside the one that hung, in the process that was killed for it; they were fetched again.\n`,
);

const failed = fast.failures.map(({ index, code }) => `${index} ${code}`);
check(
  failed.join() === `${hangingPage} ITEM_TIMED_OUT,${brokenPage} ITEM_THREW`,
  'the page that hangs and the page that answers 500 failed, and no other',
);
const expected = site
  .urls()
  .map((url, page) => ({ url, title: titleOf(page), links: linksOf(page) }))
  .filter((_, page) => page !== hangingPage && page !== brokenPage);
check(
  JSON.stringify(fast.pages) === JSON.stringify(expected),
  `the other ${count(expected.length)} are there, each once, in order`,
);
check(site.mostAtOnce <= 100, `at most ${site.mostAtOnce} pages were under way at once`);

function report(how: string, fetched: number, { seconds, pagesPerSecond }: Scrape): void {
  console.log(
    `${how}: ${count(fetched)} pages in ${seconds.toFixed(1)} s, ${count(Math.round(pagesPerSecond))} pages/s`,
  );
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** An example that shows a wrong result must not end well. */
function check(holds: boolean, promise: string): void {
  console.log(`  ${holds ? 'ok' : 'NOT TRUE:'}  ${promise}`);
  if (!holds) process.exitCode = 1;
}
