import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { Argument, Command, Option } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from './main.ts';
import { buildProgram } from './program.ts';
import type { Terminal } from './terminal.ts';

/** What somebody may give by mistake, or to harm. Nothing of it is any good to most options. */
const values: readonly string[] = [
  ...['', '0', '-1', '0.5', 'NaN', '1e99', '99999999999999999999', '__proto__'],
  // As big as a number can be that is a whole one: bigger than many options may be.
  String(Number.MAX_SAFE_INTEGER),
];
/** What a terminal would obey, and more of it than a name can have. */
const hostile = `no such\u001b[31m\u0007\u009bword\n${'x'.repeat(300)}`;

/** Another machine, and nothing to protect the way there: refused when every option has been looked at. */
const elsewhere = '192.0.2.1:7300';
let taken: Server;
let folder: string;
const home = process.cwd();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-options-'));
  // What takes the name of a file makes it here.
  process.chdir(folder);
  writeFileSync('work.mjs', 'export const f = (x) => x;');
  writeFileSync('nothing.ndjson', '');
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
});
afterAll(() => {
  process.chdir(home);
  taken.close();
  rmSync(folder, { recursive: true });
});

const inUse = (): string => `127.0.0.1:${(taken.address() as AddressInfo).port}`;

/** With what each command ends at once, when its options have been looked at. A new command has a line here. */
const otherArguments: Readonly<Record<string, () => readonly string[]>> = {
  map: () => ['work.mjs#f', '--input', 'nothing.ndjson', '--local'],
  replay: () => ['no-file.json'],
  dev: () => ['--listen', inUse()],
  coordinator: () => ['--listen', inUse()],
  agent: () => ['--join', elsewhere],
  status: () => ['--address', elsewhere],
  doctor: () => ['--address', elsewhere],
  'agents ls': () => ['--address', elsewhere],
  'agents drain': () => ['NAME', '--address', elsewhere],
  'agents resume': () => ['NAME', '--address', elsewhere],
  'bundle push': () => ['name@1', 'work.mjs', '--address', elsewhere],
  'certs init': () => ['--tls-dir', 'tls/\0'],
  'certs issue': () => ['NAME', '--tls-dir', 'no-folder'],
  'certs ls': () => ['--tls-dir', 'no-folder'],
  'certs revoke': () => ['NAME', '--tls-dir', 'no-folder'],
  'token create': () => ['--address', elsewhere],
  'token ls': () => ['--address', elsewhere],
  'token revoke': () => ['ID', '--address', elsewhere],
  'token generate': () => [],
  version: () => [],
};

interface Said {
  readonly exitCode: number;
  /** A report is a result. */
  readonly stdout: string;
  /** Without what a command says while it waits: a busy machine is slow. */
  readonly stderr: string;
}

async function say(args: readonly string[]): Promise<Said> {
  let stdout = '';
  let stderr = '';
  const sink = (keep: (text: string) => void): Writable =>
    new Writable({
      write(chunk, _, done) {
        keep(String(chunk));
        done();
      },
    });
  const terminal: Terminal = {
    stdin: Readable.from([]),
    stdout: sink((text) => {
      stdout += text;
    }),
    stderr: sink((text) => {
      stderr += text;
    }),
    env: {},
    self: [],
  };
  const exitCode = await run(['node', 'shoal', ...args], terminal);
  const whileWaiting =
    /^(?:[\d,]+ (?:of [\d,]+ )?items.* a second.*|shoal: coordinator .* still trying\.)\n/gm;
  return { exitCode, stdout, stderr: stderr.replaceAll(whileWaiting, '') };
}

interface Verb {
  readonly path: string;
  readonly command: Command;
}

function verbsOf(command: Command, path: string): Verb[] {
  const inner = command.commands.flatMap((each) => verbsOf(each, `${path} ${each.name()}`.trim()));
  return inner.length > 0 ? inner : [{ path, command }];
}

const nobody: Terminal = {
  stdin: Readable.from([]),
  stdout: new Writable(),
  stderr: new Writable(),
  env: {},
  self: [],
};
const verbs = verbsOf(
  buildProgram(nobody, () => {}),
  '',
);
const takesValue = ({ required, optional }: Option): boolean => required || optional;

/** The arguments of a command with other ones in place of those of an option. */
function withOption(path: string, option: Option, ...given: readonly string[]): string[] {
  const others = [...(otherArguments[path]?.() ?? [])];
  const at = others.indexOf(option.long ?? '');
  if (at >= 0) others.splice(at, 2);
  return [...path.split(' '), ...others, ...given.map((value) => `${option.long}=${value}`)];
}

/** Fails where an error is a fault of ours, obeys what was typed, or leaves open which option it is about. */
function check({ exitCode, stdout, stderr }: Said, what: string): void {
  expect(stderr, what).not.toMatch(/INTERNAL|fault of Shoal/);
  expect((stdout + stderr).replaceAll('\n', ''), what).not.toMatch(/\p{Cc}/u);
  if (exitCode !== 0 && stdout === '') expect(stderr, what).toMatch(/^shoal: [A-Z_]+: /m);
}

test('every command ends at once with the arguments that it has here', async () => {
  expect(verbs.map(({ path }) => path).filter((path) => otherArguments[path] === undefined)).toEqual([]);
  expect(verbs.flatMap(({ command }) => command.options).length).toBeGreaterThan(80);
});

test.each(verbs)(
  'no value of an option of shoal $path is a fault of ours, and each is told by its flag',
  async ({ path, command }) => {
    let usual: Said | undefined;
    for (const option of command.options.filter(takesValue)) {
      // Any text may be the name of a file or an image; what is read by the command is looked at in every way.
      const isRead = option.parseArg !== undefined || option.argChoices !== undefined;
      for (const value of isRead ? [...values, hostile] : ['', hostile]) {
        const said = await say(withOption(path, option, value));
        const what = `shoal ${path} ${option.long}=${JSON.stringify(value).slice(0, 60)}`;
        check(said, what);
        if (said.stderr === '' || said.stderr.includes(option.long ?? '')) continue;
        // It is not about this option, then: it is what the command says without it.
        usual ??= await say([...path.split(' '), ...(otherArguments[path]?.() ?? [])]);
        expect(said.stderr, `${what} names ${option.long}`).toBe(usual.stderr);
      }
    }
  },
);

test.each(verbs)(
  'an option of shoal $path that is given twice is told by its flag',
  async ({ path, command }) => {
    for (const option of command.options.filter((each) => takesValue(each) && !each.variadic)) {
      const good = option.argChoices?.[0] ?? goodValues.find((value) => isTaken(option, value)) ?? 'text';
      const said = await say(withOption(path, option, good, good));
      expect(said, `shoal ${path} ${option.long}`).toEqual({
        exitCode: 2,
        stdout: '',
        stderr: `shoal: USAGE: ${option.long} is given more than once. Give it once.\n`,
      });
    }
  },
);

test.each(verbs)('no value of an argument of shoal $path is a fault of ours', async ({ path, command }) => {
  for (const [at, argument] of command.registeredArguments.entries()) {
    for (const value of ['', '-1', 'NaN', hostile]) {
      const others = [...(otherArguments[path]?.() ?? [])];
      others[at] = value;
      const args = [...path.split(' '), '--', ...others.slice(0, command.registeredArguments.length)];
      const flags = others.slice(command.registeredArguments.length);
      const said = await say([...path.split(' '), ...flags, ...args.slice(path.split(' ').length)]);
      check(said, `shoal ${path} ${nameOf(argument)} ${JSON.stringify(value).slice(0, 60)}`);
    }
  }
});

/** One of them is right for every option that reads its value. */
const goodValues = [
  '1',
  '4',
  '30s',
  '1MiB',
  '64KiB',
  '512MiB',
  '127.0.0.1:7300',
  'gpu=a100',
  '1900000000-1900000999',
  '100',
];

function isTaken({ parseArg }: Option, value: string): boolean {
  if (parseArg === undefined) return false;
  try {
    parseArg(value, undefined);
    return true;
  } catch {
    return false;
  }
}

const nameOf = (argument: Argument): string => argument.name();
