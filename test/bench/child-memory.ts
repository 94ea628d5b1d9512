// What a child process has for itself, after some work (Linux): `node child-memory.ts KIND SETTING`, where
// KIND is shoal, node, one of them with -light (the task loads nothing), idle-fork or idle-spawn.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MapPool } from 'shoal';
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

/** Of its only child, once that is ready. */
async function idleBytes(pool: MapPool): Promise<number> {
  for (;;) {
    const [child] = pool.stats().processes;
    if (child?.state === 'idle') return privateBytesOf(child.pid);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function say(value: number, results: readonly unknown[]): void {
  process.stdout.write(`${JSON.stringify({ value, digest: fingerprintOf(results) })}\n`);
}

const url = kind?.endsWith('-light') ? new URL('tasks-light.js', tasksUrl) : tasksUrl;

if (!kind?.startsWith('node')) {
  const { Pool } = await import('shoal');
  await using pool = new Pool({ processes: 1, startChildren: kind === 'idle-fork' ? 'fork' : 'spawn' });
  const idle = kind?.startsWith('idle') ? await idleBytes(pool) : undefined;
  const results = await pool.map(url, items, { export: setting.task });
  say(idle ?? privateBytesOf(pool.stats().processes[0]?.pid), results);
} else {
  const child = fork(fileURLToPath(new URL('peers/bare-node-worker.js', import.meta.url)), [url.href]);
  const answer = once(child, 'message');
  child.send({ task: setting.task, items });
  const [results] = (await answer) as [readonly unknown[]];
  say(privateBytesOf(child.pid), results);
  child.disconnect();
}
