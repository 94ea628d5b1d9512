import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forkAddon } from '../../libs/pool/src/launchers/fork-addon.ts';
import { Command, shoalCommand, withoutProgress } from './command.testkit.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const map = (task: string, ...args: string[]) => shoalCommand(['map', `test/cli/work.ts#${task}`, ...args]);

describe('what goes in', () => {
  test('stdin is NDJSON, so the output of seq will do', async () => {
    const input = Array.from({ length: 2000 }, (_, index) => `${index + 1}\n`).join('');
    const { stdout, exitCode } = await shoalCommand(['map', 'examples/square.ts#square'], input);
    expect(stdout.split('\n').slice(0, 3)).toEqual(['1', '4', '9']);
    expect(stdout.split('\n').length).toBe(2001);
    expect(exitCode).toBe(0);
  });

  test('a range counts up to its last number', async () => {
    expect(await map('square', '--input', '8..10')).toEqual({
      exitCode: 0,
      stdout: '64\n81\n100\n',
      stderr: '',
    });
  });

  test('a .csv file gives an object a row, by its header', async () => {
    const input = file('people.csv', 'name,born\nAda,1815\n"Noether, Emmy",1882\n');
    const { stdout } = await map('loud', '--input', input);
    expect(stdout).toBe('{"name":"Ada","born":"1815"}\n{"name":"Noether, Emmy","born":"1882"}\n');
  });

  test('a .txt file gives a string a line, and --input-format overrides the name', async () => {
    const input = file('numbers.txt', '1\n2\n');
    expect((await map('loud', '--input', input)).stdout).toBe('"1"\n"2"\n');
    expect((await map('loud', '--input', input, '--input-format', 'ndjson')).stdout).toBe('1\n2\n');
  });

  test('a line that is no JSON is named by file and line; the results before it are written; exit code 2', async () => {
    const input = file('bad.ndjson', '1\n2\n{"a":\n4\n');
    const { stdout, stderr, exitCode } = await map('square', '--input', input);
    expect(stdout).toBe('1\n4\n');
    expect(stderr).toContain(`shoal: INPUT_INVALID: ${input}, line 3: no JSON value: {"a":`);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(exitCode).toBe(2);
  });

  test('a line that is no UTF-8 is named in the same way: no item is changed without a word', async () => {
    const input = file('latin1.txt', Buffer.from('Emmy\nZo\xeb\n', 'latin1'));
    const { stdout, stderr, exitCode } = await map('echo', '--input', input);
    expect(stdout).toBe('"Emmy"\n');
    expect(withoutProgress(stderr)).toBe(
      `shoal: INPUT_INVALID: ${input}, line 2: it is no UTF-8. Convert the input first, as with iconv -f windows-1252 -t utf-8.\n`,
    );
    expect(exitCode).toBe(2);
  });
});

test.each([[[]], [['--start-children', 'spawn']]])(
  '--preload without forking (%j) is named: exit code 2',
  async (more) => {
    const { stderr, exitCode } = await map('square', '--input', '1..2', '--preload', ...more);
    expect(stderr).toContain('--preload');
    expect(stderr).toContain('--start-children');
    expect(exitCode).toBe(2);
  },
);

// Where there is no compiler, there is nothing that could fork.
describe.skipIf(forkAddon().why !== undefined)('--start-children', () => {
  test.each([
    ['fork', ['--start-children', 'fork'], { isForked: true, isPreloaded: false }],
    ['fork --preload', ['--start-children', 'fork', '--preload'], { isForked: true, isPreloaded: true }],
    ['spawn', ['--start-children', 'spawn'], { isForked: false, isPreloaded: false }],
  ])('%s starts each process in that way', async (_, flags, expected) => {
    const each = ['--max-tasks-per-child', '1', '--processes', '2'];
    const { stdout, stderr, exitCode } = await map('origin', '--input', '1..6', ...each, ...flags);
    const seen = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { parent, isPreloaded } = JSON.parse(line) as { parent: string; isPreloaded: boolean };
        return { isForked: parent.includes('fork-main'), isPreloaded };
      });
    expect(seen, stderr).toEqual(new Array(6).fill(expected));
    expect(exitCode).toBe(0);
  });
});

describe('what comes out', () => {
  test('results go to the file, prints of tasks to stderr, nothing to stdout', async () => {
    const output = join(folder, 'out.ndjson');
    const { stdout, stderr } = await map('loud', '--input', '1..2', '--output', output, '--processes', '1');
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^\(loud pid=\d+ item=0\) got 1\n\(loud pid=\d+ item=1\) got 2\n$/);
    expect(readFileSync(output, 'utf8')).toBe('1\n2\n');
  });

  test('undefined is written as null', async () => {
    expect((await map('nothing', '--input', '1..2')).stdout).toBe('null\nnull\n');
  });

  test('a result that JSON cannot say is a failed item', async () => {
    const { stderr, exitCode } = await map('big', '--input', '1..1');
    expect(stderr).toContain('VALUE_NOT_PORTABLE: Result of item 0 cannot be sent');
    expect(exitCode).toBe(1);
  });

  test('a result that JSON would say wrongly is a failed item', async () => {
    const { stdout, stderr, exitCode } = await map('mapped', '--input', '1..1');
    expect(stderr).toContain('Result of item 0 cannot be sent: it is a Map, which JSON cannot say');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
  });

  test('the input is never overwritten with its own results', async () => {
    const input = file('same.ndjson', '1\n');
    const { stderr, exitCode } = await map('square', '--input', input, '--output', input);
    expect(stderr).toContain('FILE_NOT_USABLE');
    expect(readFileSync(input, 'utf8')).toBe('1\n');
    expect(exitCode).toBe(2);
  });

  test('a reader that goes away ends it quietly', async () => {
    const command = Command.start(['map', 'test/cli/work.ts#square', '--input', '1..10000000']);
    await command.said(/^1\n4\n/);
    command.closeStdout();
    const { stderr, exitCode } = await command.ended;
    expect({ stderr: withoutProgress(stderr), exitCode }).toEqual({ stderr: '', exitCode: 141 });
  });
});

describe('items that fail', () => {
  test('the first failure ends the job: the results before it, one line, exit code 1', async () => {
    const { stdout, stderr, exitCode } = await map('notThree', '--input', '1..6');
    expect(stdout).toBe('1\n2\n');
    expect(stderr).toMatch(
      /^shoal: ITEM_THREW: Item 2 failed: TypeError: three is right out \(notThree at work\.ts:.*\n$/,
    );
    expect(exitCode).toBe(1);
  });

  test('with --on-error keep a failure is a line in its place, told on stderr, exit code 1', async () => {
    const { stdout, stderr, exitCode } = await map('notThree', '--input', '1..4', '--on-error', 'keep');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([1, 2, { error: expect.objectContaining({ code: 'ITEM_THREW', index: 2 }) }, 4]);
    expect(lines[2].error.cause).toEqual({ name: 'TypeError', message: 'three is right out' });
    expect(stderr).toContain('shoal: ITEM_THREW: Item 2 failed');
    expect(exitCode).toBe(1);
  });

  test.each([
    ['keep', 2],
    ['stop', 1],
  ])(
    'an error of several lines is one line for its item on stderr, with --on-error %s',
    async (what, items) => {
      const { stdout, stderr } = await map('failsInLines', '--input', '1..2', '--on-error', what);
      const lines = withoutProgress(stderr).trim().split('\n');
      for (const [index, line] of lines.slice(0, items).entries()) {
        const said = `first\\r\\nshoal: forged ${index + 1}\\n2 of 2 items failed. (`;
        expect(line).toContain(`shoal: ITEM_THREW: Item ${index} failed: Error: ${said}`);
      }
      expect(lines.slice(items)).toEqual(what === 'keep' ? ['2 of 2 items failed.'] : []);
      // JSON keeps it as it was thrown.
      if (what === 'keep') expect(stdout).toContain('"message":"first\\r\\nshoal: forged 1\\n2 of 2');
    },
  );

  test('an item that is too big is told with the flag that raises the limit', async () => {
    const input = file('big.txt', `small\n${'x'.repeat(3000)}\n`);
    const { stdout, stderr, exitCode } = await map('echo', '--input', input, '--max-item-bytes', '2KiB');
    expect(stderr).toMatch(/ITEM_TOO_LARGE: Item 1 is .* the limit is 2(\.0)? KiB \(--max-item-bytes\)/);
    expect({ stdout, exitCode }).toEqual({ stdout: '"small"\n', exitCode: 1 });
    const raised = await map('echo', '--input', input, '--max-item-bytes', '4KiB');
    expect(raised.exitCode).toBe(0);
  });

  test('--deadline ends the whole job, with exit code 4 and what came before it', async () => {
    const { exitCode, stdout, stderr } = await map('slow', '--input', '1..1000', '--deadline', '4s');
    expect(exitCode).toBe(4);
    expect(stderr).toContain('JOB_DEADLINE');
    expect(stdout).toMatch(/^1\n/);
  });

  test.for([
    ['whose output nobody reads', ['--input', '1..2000000']],
    ['whose output nobody has opened', ['--input', '1..3', '--output', 'OUT']],
    ['whose input nobody has opened', ['--input', 'IN', '--input-format', 'lines']],
  ] as const)('--deadline ends a job %s', async ([, flags]) => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fifo-'));
    const named = flags.map((flag) => (/^(IN|OUT)$/.test(flag) ? join(folder, flag) : flag));
    try {
      for (const path of named) if (path.startsWith(folder)) execFileSync('mkfifo', [path]);
      const command = Command.start(['map', 'test/cli/work.ts#square', ...named, '--deadline', '600ms']);
      command.leaveStdoutUnread();
      const { exitCode, stderr } = await command.ended;
      expect(exitCode).toBe(4);
      expect(withoutProgress(stderr)).toMatch(
        /^shoal: JOB_DEADLINE: The job did not finish within its deadline of 600 ms\.( It waited.* Raise --deadline where waiting longer helps| Raise --deadline)\.\n$/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('prints that nobody reads hold a job, and --deadline ends it: exit code 4', async () => {
    const flags = ['--input', '1..100000', '--deadline', '3s'];
    const command = Command.start(['map', 'test/cli/work.ts#chatty', ...flags]);
    command.leaveStderrUnread();
    expect(await command.ended).toMatchObject({ exitCode: 4 });
  });

  test('Ctrl-C ends a job whose prints nobody reads: exit code 130', async () => {
    const command = Command.start(['map', 'test/cli/work.ts#chatty', '--input', '1..100000']);
    command.leaveStderrUnread();
    // What is printed with these is more than a pipe takes.
    await command.said(/^1\n2\n3\n/);
    command.signal('SIGINT');
    expect(await command.ended).toMatchObject({ exitCode: 130 });
  });

  test('--pure and --priority are told to the pool, --labels choose nothing on one machine', async () => {
    const flags = ['--pure', '--priority', '-5', '--labels', 'gpu=a100,zone=north'];
    expect(await map('square', '--input', '1..2', ...flags)).toMatchObject({ exitCode: 0, stdout: '1\n4\n' });
    const wrong = await map('square', '--input', '1..2', '--labels', 'gpu');
    expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
    expect(wrong.stderr).toContain('Give labels as NAME=VALUE');
  });

  test('--timeout ends an endless loop', async () => {
    const { stderr, exitCode } = await map('spin', '--input', '1..1', '--timeout', '300ms');
    expect(stderr).toContain('ITEM_TIMED_OUT: Item 0 ran longer than 300 ms');
    expect(exitCode).toBe(1);
  });
});

describe('what is typed wrong', () => {
  test.each([
    [['mpa'], "unknown command 'mpa'. Did you mean map?"],
    [['mpa', '--help'], "unknown command 'mpa'. Did you mean map?"],
    [['map', 'x.ts', '--chunksize', '3'], "unknown option '--chunksize'. Did you mean --chunk-size?"],
    [['map', 'x.ts', '--detach'], "unknown option '--detach'. See shoal map --help."],
    [['token', 'create', '--nonsense'], "unknown option '--nonsense'. See shoal token create --help."],
    [['nonsense'], "unknown command 'nonsense'. See shoal --help."],
    [['map', 'x.ts', '--processes', '0'], 'Give a whole number from 1 to 1024.'],
    [['map', 'x.ts', '--timeout', '30'], 'Give a time with its unit'],
    [['map', 'nowhere.ts#f'], 'FILE_NOT_USABLE: nowhere.ts: there is no such file'],
    [
      ['map', 'test/cli/work.ts#f', '--input', 'README.md'],
      'The format of README.md cannot be told by its name',
    ],
    [
      ['map', 'test/cli/work.ts#f', '--input', 'data.xml'],
      'FILE_NOT_USABLE: data.xml: there is no such file',
    ],
    [['map', 'test/cli/work.ts#f', '--input', 'test'], 'FILE_NOT_USABLE: test: it is a folder'],
    [
      ['map', 'test/cli/work.ts#f', '--input', '1..x'],
      '--input 1..x is no range of whole numbers. Write it as',
    ],
    [['map', 'test/cli/work.ts#f', '--input', '1..2', '--input', '3..4'], '--input is given more than once'],
    [
      ['map', 'test/cli/work.ts#f', '--input', '1..2', '--output', 'nowhere/out.ndjson'],
      'FILE_NOT_USABLE: nowhere/out.ndjson: there is no folder nowhere',
    ],
    [['map', 'x.ts', '--max-item-bytes', '64MB'], 'Give bytes, from 1KiB to 1GiB'],
    [['map', 'x.ts', '--labels', '__proto__=x'], '"__proto__" is no name of a label'],
    [['map', 'x.ts', '--labels', 'gpu='], 'gpu is empty'],
    [['map', 'x.ts', '--processes', '100000'], 'Give a whole number from 1 to 1024'],
    [
      ['map', 'test/cli/work.ts#f', '--input', '1..2', '--address', '10.255.255.1:7300'],
      'INSECURE_CONNECT: Refused to connect to 10.255.255.1:7300',
    ],
    [['map', 'test/cli/work.ts#f', '--input', '9..1'], 'Try 1..9.'],
    [['map', 'test/cli/work.ts#sqaure', '--input', '1..2'], 'Did you mean square?'],
    [['bundle', 'push', 'imaging', 'x.ts'], 'imaging is no NAME@VERSION'],
    [['agent'], "required option '--join <HOST:PORT>' not specified"],
  ])('shoal %j', async (args, message) => {
    const { stdout, stderr, exitCode } = await shoalCommand(args);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n'), 'one line, no stack').toHaveLength(1);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  });

  test('--help and --version are results', async () => {
    expect(await shoalCommand(['--version'])).toEqual({ exitCode: 0, stdout: '0.1.0\n', stderr: '' });
    expect(await shoalCommand(['version'])).toEqual({ exitCode: 0, stdout: '0.1.0\n', stderr: '' });
    const help = await shoalCommand(['map', '--help']);
    expect(await shoalCommand(['help', 'map'])).toEqual(help);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    expect(help.stdout).toContain('Usage: shoal map [options] <FILE#EXPORT>');
    const whole = await shoalCommand(['--help']);
    expect(whole.stdout).toContain('4 cancelled or past --deadline, 130 Ctrl-C,\n141 the reader of stdout');
  });
});
