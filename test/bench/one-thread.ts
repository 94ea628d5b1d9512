/**
 * What it costs a forked child to have one thread: `node test/bench/one-thread.ts [--runs 5]`.
 *
 * The same programs in a usual Node process and in one with the flags of a fork server, in turns: the ratio of the medians
 * of CPU time and of time. One core of two is enough for either; what V8's helpers do beside the program costs CPU, and
 * saves time where a core is free for them.
 */
import { spawnSync } from 'node:child_process';
import { nodeFlags } from '../../libs/pool/src/launchers/fork-server.ts';
import { optionsOf, whole } from './options.ts';
import { median } from './statistics.ts';

const { runs } = optionsOf({ runs: whole(5) });
/** By what they do most. */
const programs: Readonly<Record<string, string>> = {
  computing: 'let sum = 0; for (let i = 0; i < 3e8; i++) sum = (sum * 31 + i) % 1_000_003;',
  hashing: "for (let i = 0; i < 6_000; i++) require('crypto').hash('sha256', Buffer.alloc(65_536, i));",
  'short-lived objects': 'let n = 0; for (let i = 0; i < 2e7; i++) n += [i, { i }].length;',
  'parsing JSON':
    'const text = JSON.stringify(Array.from({ length: 2_000 }, (_, i) => ({ i, name: String(i) })));' +
    'for (let i = 0; i < 600; i++) JSON.parse(text);',
  'two million objects that stay':
    'const all = []; for (let i = 0; i < 2e6; i++) all.push({ i, text: String(i), next: all[i - 1] });',
};

interface Need {
  readonly cpuMs: number;
  readonly ms: number;
}

function run(program: string, options: readonly string[]): Need {
  const script = `const t = performance.now(), c = process.cpuUsage(); ${program}
    const { user, system } = process.cpuUsage(c);
    console.log(JSON.stringify({ cpuMs: (user + system) / 1000, ms: performance.now() - t }));`;
  const { stdout } = spawnSync(process.execPath, [...options, '-e', script], { encoding: 'utf8' });
  return JSON.parse(stdout) as Need;
}

console.log('| | CPU of one thread to several | time |\n| --- | ---: | ---: |');
for (const [name, program] of Object.entries(programs)) {
  const [usual, single]: [Need[], Need[]] = [[], []];
  for (let i = 0; i < runs; i++) {
    usual.push(run(program, []));
    single.push(run(program, nodeFlags));
  }
  const ratio = (of: keyof Need): string =>
    `${(median(single.map((need) => need[of])) / median(usual.map((need) => need[of]))).toFixed(2)} x`;
  console.log(`| ${name} | ${ratio('cpuMs')} | ${ratio('ms')} |`);
}
