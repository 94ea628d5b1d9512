/**
 * The program of a fork server: `node --single-threaded fork-main.js JSON`, with the control socket as descriptor 3. It
 * loads what children need, says whether it may be copied, and is copied from then on: `serve` returns in its copies.
 */
import { writeSync } from 'node:fs';
import { createRequire, flushCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { runChild } from './child/child-program.ts';
import { type Copy, type Endings, prepareCopies, putRight } from './child/copied-process.ts';
import { selfTest } from './child/fork-self-test.ts';
import { closeLeftFiles } from './child/left-files.ts';
import type { LinkingAddon } from './child/module-link.ts';
import type { Preloaded } from './child/preload.ts';
import { rehearse } from './child/rehearsal.ts';
import { residue } from './child/residue.ts';
import { firstOrder, forkRecord, selfTests } from './launchers/fork-news.ts';
import type { ForkServerArguments } from './launchers/fork-server.ts';
import { nodeOptions } from './launchers/node-options.ts';

interface ServerAddon extends Endings, LinkingAddon {
  makePair(): [number, number];
  serve(control: number): Copy;
}

const control = 3;
closeLeftFiles();

const { addon: path, flagCount, links, modules } = JSON.parse(process.argv[2] ?? '') as ForkServerArguments;
// Ours, not the user's: what a task starts is neither single-threaded nor a fork server.
process.argv.length = 2;
process.execArgv = process.execArgv.slice(0, -flagCount);

const addon = createRequire(import.meta.url)(path) as ServerAddon;
const { makePair, serve } = addon;
// A module of the user's that Node itself has loaded.
const hasOthers =
  /(^|\s)(-r|--(import|require|loader|experimental-loader|experimental-config-file|experimental-default-config-file))\b/.test(
    nodeOptions(process.execArgv, process.env),
  );
prepareCopies(addon, hasOthers);
await rehearse(makePair, join(dirname(path), '../src/rehearsal.js'));
// Whoever has others' hooks loads as these want it.
if (links.length > 0 && !hasOthers) await (await import('./child/module-link.ts')).linkModules(links, addon);
let preloaded: Preloaded | undefined;
if (modules.length > 0) preloaded = await (await import('./child/preload.ts')).preload(modules);
// It may have drawn as well.
const hasDrawn = preloaded !== undefined || hasOthers;
const left = preloaded?.why === undefined ? await residue(preloaded?.leftTimer) : undefined;
const why =
  left === undefined ? preloaded?.why : `loading left ${left} behind, which a copy would lack or share`;
preloaded?.forgetTimers();
if (why !== undefined) {
  writeSync(control, forkRecord('refused', why));
  process.exit(0);
}
let throwAway: (() => void) | undefined;
if (hasDrawn) {
  const caches = await import('./child/preload.ts');
  // Nothing of the user's comes between this and the first copy.
  if (!caches.useUpCaches()) throwAway = caches.throwAway;
  // What the hooks have put off is done here, not in each copy.
  await undefined;
}
// All of a child that needs nothing but itself is here already: its channel is the control socket as long as nobody is copied.
runChild({ sinks: preloaded?.sinks });
// What is compiled by now is written once, not by whichever copy lives long enough.
flushCompileCache();
// Once Node is done with this module: what it does then would be done in each copy.
setImmediate(() => {
  writeSync(control, forkRecord('ready'));
  const copy = serve(control);
  putRight(copy);
  throwAway?.();
  const [order] = copy;
  if (order <= selfTests) void selfTest();
  else if (order !== firstOrder) preloaded?.sinks.forget();
});
