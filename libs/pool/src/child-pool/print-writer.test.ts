import { expect, test } from 'vitest';
import { PrintWriter } from './print-writer.ts';

function writer(): { writer: PrintWriter; written: Record<'stdout' | 'stderr', string[]> } {
  const written = { stdout: [] as string[], stderr: [] as string[] };
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => written[name].push(text) > 0 });
  return { writer: new PrintWriter({ stdout: stream('stdout'), stderr: stream('stderr') }), written };
}

test('each line says which function, process and item it came from', () => {
  const { writer: prints, written } = writer();
  prints.write({ stream: 'stdout', pid: 4720, index: 3, task: 'transform', text: 'one\ntwo' }, undefined);
  expect(written.stdout).toEqual(['(transform pid=4720 item=3) one\n(transform pid=4720 item=3) two\n']);
});

test('on a cluster it says which agent too', () => {
  const { writer: prints, written } = writer();
  prints.write({ stream: 'stderr', pid: 4720, index: 3, task: 'transform', text: 'no' }, 'agent-2');
  expect(written).toEqual({ stdout: [], stderr: ['(transform agent-2 pid=4720 item=3) no\n'] });
});

test('a name that an agent made up is no more than a name; what was printed is shown as it is', () => {
  const { writer: prints, written } = writer();
  const task = 'f\u001b[2J\nshoal: done';
  prints.write({ stream: 'stdout', pid: 1, index: 0, task, text: '\u001b[32mgreen\u001b[0m' }, 'agent-2');
  expect(written.stdout).toEqual([
    '(f\\u001b[2J shoal: done agent-2 pid=1 item=0) \u001b[32mgreen\u001b[0m\n',
  ]);
});

test('what was printed outside any item says the process', () => {
  const { writer: prints, written } = writer();
  prints.write({ stream: 'stdout', pid: 4720, index: undefined, task: undefined, text: 'ready' }, undefined);
  expect(written.stdout).toEqual(['(pid=4720) ready\n']);
});

test('what cannot be written to is refused by name, before there is something to say', () => {
  const streams =
    (given: unknown): (() => unknown) =>
    () =>
      new PrintWriter(given as object);
  expect(streams({ stdout: 5 })).toThrow(
    new TypeError('stdout has to be a stream that can be written to, not 5.'),
  );
  expect(streams({ stdout: process.stdout, sterr: process.stderr })).toThrow(/Did you mean stderr\?/);
  expect(streams(process.stdout.fd)).toThrow(/^PrintWriter options has to be an object/);
});
