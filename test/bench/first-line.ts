// How long a command takes, from the start of its process to its first line: `node first-line.ts shoal|parallel SETTING`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { fingerprintOf } from './items.ts';
import { type Setting, tasksUrl } from './peer.ts';
import { parallelArgs } from './peers/gnu-parallel.ts';

const [who, json = ''] = process.argv.slice(2);
const setting = JSON.parse(json) as Setting;
const shoal = fileURLToPath(new URL('../../libs/shoal/bin/shoal.js', import.meta.url));
const spec = `${fileURLToPath(tasksUrl)}#${setting.task}`;
const numbers = Array.from({ length: setting.items }, (_, index) => `${index}\n`).join('');
const [command, args, input]: readonly [string, readonly string[], string] =
  who === 'parallel'
    ? ['parallel', parallelArgs(setting), numbers]
    : [
        process.execPath,
        [...process.execArgv, shoal, 'map', spec, '--local', '--input', `0..${setting.items - 1}`],
        '',
      ];
const startedAt = performance.now();
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
child.stdin.end(input);
const lines: string[] = [];
let value = Number.POSITIVE_INFINITY;
for await (const line of createInterface({ input: child.stdout })) {
  value = Math.min(value, performance.now() - startedAt);
  lines.push(line);
}
process.stdout.write(`${JSON.stringify({ value, digest: fingerprintOf(lines) })}\n`);
