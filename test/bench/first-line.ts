// How long `shoal map` takes, from the start of its process to its first line: `node first-line.ts SETTING`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { fingerprintOf } from './items.ts';
import { type Setting, tasksUrl } from './peer.ts';

const { task, items } = JSON.parse(process.argv[2] ?? '') as Setting;
const shoal = fileURLToPath(new URL('../../libs/shoal/bin/shoal.js', import.meta.url));
const spec = `${fileURLToPath(tasksUrl)}#${task}`;
const args = [shoal, 'map', spec, '--local', '--input', `0..${items - 1}`];
const startedAt = performance.now();
const child = spawn(process.execPath, [...process.execArgv, ...args], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const lines: string[] = [];
let value = Number.POSITIVE_INFINITY;
for await (const line of createInterface({ input: child.stdout })) {
  value = Math.min(value, performance.now() - startedAt);
  lines.push(line);
}
process.stdout.write(`${JSON.stringify({ value, digest: fingerprintOf(lines) })}\n`);
