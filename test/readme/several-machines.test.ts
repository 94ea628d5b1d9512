import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Host, Network } from '../chaos/network.ts';
import { until } from '../cli/command.testkit.ts';
import { type FencedBlock, fencedBlocks } from './fenced-blocks.testkit.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const blocks = fencedBlocks(readFileSync(join(root, 'docs/several-machines.md'), 'utf8'));
/** The coordinator's address, as the guide writes it. */
const written = '10.0.0.5';

const missing = await Network.missing();
if (missing !== undefined) {
  console.warn(`NO NETWORK NAMESPACES: docs/several-machines.md is not tried; it takes ${missing}.`);
}

// Machines have no files in common; inside the repository, so that `import 'shoal'` is found.
const folder = join(root, '.build', 'several-machines');
const bin = join(folder, 'bin');
const machines = ['one', 'two', 'three'] as const;
type Machine = (typeof machines)[number];

const isMachine = (word: string | undefined): word is Machine => machines.includes(word as Machine);

describe.skipIf(missing !== undefined)('the guide for several machines, on three of them', () => {
  let network: Network;
  const hosts = new Map<Machine, Host>();
  /** What was exported on a machine: its shell is the same from block to block. */
  const exported = new Map<Machine, string>();
  const running: { readonly child: ChildProcess; said: string }[] = [];

  beforeAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(bin, { recursive: true });
    symlinkSync(join(root, 'libs/shoal/bin/shoal.js'), join(bin, 'shoal'));
    // What brings files from one machine to another; here they lie side by side.
    writeFileSync(
      join(bin, 'scp'),
      `#!/bin/sh\n[ "$1" = -r ] && shift\nexec cp -rp "$1" "../$(echo "$2" | sed 's#:#/#')"\n`,
    );
    chmodSync(join(bin, 'scp'), 0o755);
    for (const machine of machines) mkdirSync(join(folder, machine));
    network = await Network.create();
    hosts.set('two', await network.addHost('two'));
    hosts.set('three', await network.addHost('three'));
  });
  afterAll(async () => {
    for (const { child } of running) child.kill('SIGTERM');
    await Promise.all(
      running.map(async ({ child }) => {
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }),
    );
    await network?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The coordinator's address, as this machine knows it. */
  function addressFor(machine: Machine): string {
    const host = hosts.get(machine);
    return host === undefined ? '127.0.0.1' : network.hubOf(host);
  }

  function start(machine: Machine, text: string): ChildProcess {
    const [ip = '', ...within] = (hosts.get(machine) ?? network.hub).within;
    const before = exported.get(machine) ?? '';
    for (const [line] of text.matchAll(/^export .*$/gm)) exported.set(machine, `${before}${line}\n`);
    const here = `${before}${text}`.replaceAll(written, addressFor(machine));
    return spawn(ip, [...within, 'bash', '-c', `set -e -o pipefail\n${here}`], {
      cwd: join(folder, machine),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${bin}:${dirname(process.execPath)}:${process.env['PATH']}`,
        HOME: folder,
        NO_COLOR: '1',
        NODE_OPTIONS: '--conditions=@shoal/source --disable-warning=ExperimentalWarning',
      },
    });
  }

  function listen(child: ChildProcess, hear: (text: string) => void): void {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => hear(String(chunk)));
  }

  /** Runs a block to its end; answers with all that it said. */
  async function run(machine: Machine, text: string): Promise<string> {
    let said = '';
    const child = start(machine, text);
    listen(child, (more) => {
      said += more;
    });
    const [exitCode] = await once(child, 'close');
    expect(exitCode, `${machine}$ ${text}\n${said}`).toBe(0);
    // A machine that is busy with other things shows how far it is, and what it waits for.
    return said
      .replaceAll(addressFor(machine), written)
      .replace(/^\d.* items.* a second.*\n|^shoal: coordinator \S+ does not answer yet; .*\n/gm, '');
  }

  /** Starts what goes on running, and waits until it says that it is ready. */
  async function background(machine: Machine, text: string): Promise<void> {
    const process = { child: start(machine, text), said: '' };
    running.push(process);
    listen(process.child, (more) => {
      process.said += more;
    });
    await until(
      `${machine} is ready`,
      () => (/^(coordinator listening on|agent \S+ joined) /m.test(process.said) ? true : undefined),
      () => process.said,
      60_000,
    );
  }

  test('it does what it says, from nothing to a job that ran', async () => {
    const told: string[] = [];
    let answer = '';
    for (const [at, block] of blocks.entries()) {
      const [machine, how] = block.title.trim().split(' ');
      if (block.language === 'ts')
        writeFileSync(
          join(folder, 'three', block.title),
          block.text.replaceAll(written, addressFor('three')),
        );
      else if (block.language === 'text') expect(answer.trim(), `line ${block.line}`).toBe(block.text.trim());
      else if (isMachine(machine) && how === 'background') await background(machine, block.text);
      else if (isMachine(machine)) answer = await run(machine, block.text);
      else continue;
      told.push(`${at}`);
    }
    expect(told.length, 'every block but the last was tried').toBe(blocks.length - 1);
  });

  test('every block names its machine, its file, or is an answer', () => {
    const others = blocks.filter(({ language, title }: FencedBlock) => language === 'sh' && title === '');
    expect(others.map(({ text }) => text.split('\n', 1)[0])).toEqual([
      expect.stringContaining('shoal token generate'),
    ]);
  });
});
