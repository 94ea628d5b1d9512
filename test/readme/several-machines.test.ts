import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Host, Network } from '../chaos/network.ts';
import { until } from '../cli/command.testkit.ts';
import { type FencedBlock, fencedBlocks } from './fenced-blocks.testkit.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const guide = readFileSync(join(root, 'docs/several-machines.md'), 'utf8');
const blocks = fencedBlocks(guide);
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

/** What the guide has besides Shoal: what brings files from one machine to another (here they lie side by side), and asks HTTP. */
const commands: Readonly<Record<string, string>> = {
  scp: `#!/bin/bash\n[ "$1" = -r ] && shift\nexec cp -rp "\${@:1:$#-1}" "../$(echo "\${@: -1}" | sed 's#:#/#')"\n`,
  curl: `#!/usr/bin/env node\nfetch(process.argv.at(-1)).then(async (answer) => process.stdout.write(await answer.text()));\n`,
};

/** Where a section begins, in lines. */
function lineOf(heading: string): number {
  const at = guide.indexOf(`\n## ${heading}`);
  if (at < 0) throw new Error(`The guide has no section "${heading}".`);
  return guide.slice(0, at + 1).split('\n').length;
}

/** The blocks of these sections. */
function between(heading: string, next: string): readonly FencedBlock[] {
  const [from, to] = [lineOf(heading), lineOf(next)];
  return blocks.filter(({ line }) => line > from && line < to);
}

const certified = between('1. The coordinator', 'The simple way');
const simple = between('The simple way', 'When it does not work');

describe.skipIf(missing !== undefined)('the guide for several machines, on three of them', () => {
  let network: Network;
  const hosts = new Map<Machine, Host>();
  /** What was exported on a machine: its shell is the same from block to block. */
  const exported = new Map<Machine, string>();
  const running: Running[] = [];

  interface Running {
    readonly child: ChildProcess;
    said: string;
  }

  beforeAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(bin, { recursive: true });
    symlinkSync(join(root, 'test/shoal.js'), join(bin, 'shoal'));
    for (const [name, program] of Object.entries(commands)) {
      writeFileSync(join(bin, name), program);
      chmodSync(join(bin, name), 0o755);
    }
    network = await Network.create();
    hosts.set('two', await network.addHost('two'));
    hosts.set('three', await network.addHost('three'));
  });
  beforeEach(() => {
    for (const machine of machines) mkdirSync(join(folder, machine));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(end));
    for (const machine of machines) rmSync(join(folder, machine), { recursive: true, force: true });
    exported.clear();
  });
  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function end({ child }: Running): Promise<void> {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

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

  /** Starts what goes on running. */
  function launch(machine: Machine, text: string): Running {
    const launched = { child: start(machine, text), said: '' };
    running.push(launched);
    listen(launched.child, (more) => {
      launched.said += more;
    });
    return launched;
  }

  const isReady = ({ said }: Running): boolean => /^(coordinator listening on|agent \S+ joined) /m.test(said);

  /** Starts what goes on running, and waits until it says that it is ready. */
  async function background(machine: Machine, text: string): Promise<void> {
    const launched = launch(machine, text);
    await until(
      `${machine} is ready`,
      () => (isReady(launched) ? true : undefined),
      () => launched.said,
      60_000,
    );
  }

  /** Does what these blocks say, in order. What they answer has to be what the guide says that they do. */
  async function play(played: readonly FencedBlock[]): Promise<void> {
    let answer = '';
    /** What the guide calls ID. */
    let id = 'ID';
    for (const [at, block] of played.entries()) {
      const [machine, how] = block.title.trim().split(' ');
      const text = block.text.replaceAll('ID', id);
      if (block.language === 'ts') {
        writeFileSync(join(folder, 'three', block.title), text.replaceAll(written, addressFor('three')));
      } else if (block.language === 'text') {
        expect(answer.trim(), `line ${block.line}`).toBe(text.trim());
      } else if (!isMachine(machine)) {
        throw new Error(`Line ${block.line} names no machine, no file and no answer.`);
      } else if (how === 'background') {
        await background(machine, text);
      } else if (how === 'soon') {
        // What follows says so when the time is over.
        const deadlineMs = performance.now() + 60_000;
        do answer = await run(machine, text);
        while (answer.trim() !== played[at + 1]?.text.trim() && performance.now() < deadlineMs);
      } else {
        answer = await run(machine, text);
        id = /shoal token revoke (\S+) takes it back/.exec(answer)?.[1] ?? id;
      }
    }
  }

  test('it does what it says, from nothing to a job that ran, and what comes later', () => play(certified));

  test('the simple way does what it says', async () => {
    await play([...certified.filter(({ title }) => title === 'square.ts'), ...simple]);
  });

  test('of two agents with the same token one joins, and the other is told why it does not', async () => {
    await play(between('1. The coordinator', '2. An agent'));
    const [token, agent] = between('2. An agent', '3. You').map(({ text }) => text);
    await run('one', `${token}scp join-token three:`);
    const rivals = (['two', 'three'] as const).map((machine) => launch(machine, agent ?? ''));
    const said = (): string => rivals.map((rival) => rival.said).join('\n');
    const loser = await until(
      'one has joined, and the other has ended',
      () => (rivals.some(isReady) ? rivals.find(({ child }) => child.exitCode !== null) : undefined),
      said,
      60_000,
    );
    expect(loser.child.exitCode, said()).toBe(1);
    expect(loser.said).toContain('UNAUTHENTICATED');
    expect(loser.said).toContain('this token to join with was used before');
    expect(rivals.filter(isReady), said()).toHaveLength(1);
  });

  test('every block is tried', () => {
    expect([...certified, ...simple]).toEqual(blocks);
  });
});
