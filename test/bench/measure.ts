// Measures one peer in JavaScript, in a process of its own: no peer meets what another has left in the heap, the
// compiler or the CPU's caches. `node measure.ts PEER SETTING`; prints one line of JSON.
import { setTimeout } from 'node:timers/promises';
import { fingerprintOf, itemsOf } from './items.ts';
import type { Mapper, Setting } from './peer.ts';

interface PeerModule {
  /** Imports the library, which is no part of what is timed: peers in Python have done so as well. */
  load?(): Promise<unknown>;
  start(setting: Setting): Promise<Mapper>;
}

const [peer = '', json = ''] = process.argv.slice(2);
const setting = JSON.parse(json) as Setting;
const { load, start } = (await import(`./peers/${peer}.ts`)) as PeerModule;
await load?.();
const items = itemsOf(setting.task, setting.items, setting.rounds);

let startedAt = performance.now();
const mapper = await start(setting);
if (setting.times === 'map') {
  await mapper.map(itemsOf(setting.task, setting.warmUpItems, setting.rounds));
  if (setting.restMs > 0) await setTimeout(setting.restMs);
  startedAt = performance.now();
}
const results = await mapper.map(items);
const value = performance.now() - startedAt;
process.stdout.write(`${JSON.stringify({ value, digest: fingerprintOf(results) })}\n`);
await mapper.close();
