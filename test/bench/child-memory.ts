// What a child process has for itself, after some work (Linux): `node child-memory.ts shoal|node SETTING`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fingerprintOf, itemsOf } from './items.ts';
import { type Setting, tasksUrl } from './peer.ts';

const [kind, json = ''] = process.argv.slice(2);
const setting = JSON.parse(json) as Setting;
const items = itemsOf(setting.task, setting.items, setting.rounds);

/** Bytes of memory that no other process shares with this one. */
function privateBytesOf(pid: number | undefined): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const lines = text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm);
  return lines.reduce((sum, [, kib]) => sum + Number(kib) * 1024, 0);
}

function say(pid: number | undefined, results: readonly unknown[]): void {
  process.stdout.write(`${JSON.stringify({ value: privateBytesOf(pid), digest: fingerprintOf(results) })}\n`);
}

if (kind === 'shoal') {
  const { Pool } = await import('shoal');
  await using pool = new Pool({ processes: 1 });
  const results = await pool.map(tasksUrl, items, { export: setting.task });
  say(pool.stats().processes[0]?.pid, results);
} else {
  const child = fork(fileURLToPath(new URL('peers/bare-node-worker.js', import.meta.url)));
  const answer = once(child, 'message');
  child.send({ task: setting.task, items });
  const [results] = (await answer) as [readonly unknown[]];
  say(child.pid, results);
  child.disconnect();
}
