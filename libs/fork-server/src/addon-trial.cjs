/**
 * The addon without a pool, for AddressSanitizer: `node addon-trial.cjs ADDON`. It is given what it must refuse, and a server
 * is asked for children. Prints what it came to; `node addon-trial.cjs ADDON serve` is that server.
 */
const { spawn } = require('node:child_process');
const { closeSync, readlinkSync, readSync, writeSync } = require('node:fs');
const addon = require(process.argv[2]);

/** As the system has it: a copy remembers that of its server. */
const readPid = () => Number(readlinkSync('/proc/self'));

if (process.argv[3] === 'serve') {
  const [id, pid, ...seed] = addon.serve(3);
  const isSeed = seed.length === 4 && seed.every((word) => word >= 0 && word < 2 ** 32);
  writeSync(3, JSON.stringify({ id, isItself: pid === readPid(), isSeed }));
  addon.exitNow(0);
}

const refusals = new Set();
const refuses = (call) => {
  try {
    call();
  } catch (error) {
    refusals.add(error.code);
    return;
  }
  throw new Error(`It is taken: ${call}`);
};
const [a, b] = addon.makePair();
for (const fds of ['x', ['x'], [-1], [a, a, a, a]]) refuses(() => addon.sendOrder(b, 1, fds));
for (const args of [[], [b], ['x', 1, [a]], [b, 'x', [a]], [-1, 1, [a]]])
  refuses(() => addon.sendOrder(...args));
for (const args of [[], ['x'], [99]]) refuses(() => addon.serve(...args));
for (const fds of [[], ['x'], [['x']], [[-1]]]) refuses(() => addon.closeEnds(...fds));
for (const path of [[], [1], ['x'.repeat(5_000)]]) refuses(() => addon.watchFile(...path));
for (const seconds of [[], ['x']]) refuses(() => addon.tryInCopy(...seconds));
addon.watchFile(__filename);
for (const code of [0, 1]) {
  const isDone = addon.tryInCopy(60);
  if (isDone === undefined) addon.exitNow(code);
  if (isDone !== (code === 0)) throw new Error('It ended in another way.');
}
addon.closeEnds([a, b]);
refuses(() => addon.closeEnds([a]));

const [control, its] = addon.makePair();
const server = spawn(process.execPath, ['--single-threaded', __filename, process.argv[2], 'serve'], {
  stdio: ['ignore', 'ignore', 'inherit', its],
});
closeSync(its);
const children = [];
for (const id of [1, 2, 3]) {
  const [channel, end] = addon.makePair();
  if (!addon.sendOrder(control, id, [end, end, end])) throw new Error('It is not taken.');
  closeSync(end);
  const bytes = Buffer.alloc(256);
  children.push(JSON.parse(bytes.toString('utf8', 0, readSync(channel, bytes))));
  closeSync(channel);
}
server.once('exit', (code) => {
  process.stdout.write(JSON.stringify({ refusals: [...refusals], children, code }), () => addon.exitNow(0));
});
closeSync(control);
