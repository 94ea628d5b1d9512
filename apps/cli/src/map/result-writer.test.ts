import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isOwing, OutputGone } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { openFifoToRead } from './fifo.ts';
import { openResultWriter, ResultWriter } from './result-writer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-writer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const noTerminal = {} as Terminal;

/** A reader that takes nothing until it is told to. */
class SlowReader extends Writable {
  taken = '';
  #go: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1024, decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.taken += chunk;
    this.#go = done;
  }

  go(): void {
    this.#go?.();
  }
}

test('a reader that is behind stops the writer, and one that goes on wakes it', async () => {
  const reader = new SlowReader();
  const writer = new ResultWriter(reader, 'stdout', false);
  const waiting = writer.line('x'.repeat(70_000));
  expect(waiting).toBeInstanceOf(Promise);
  let awake = false;
  const woken = waiting?.then(() => {
    awake = true;
  });
  await Promise.resolve();
  expect(awake).toBe(false);
  reader.go();
  await woken;
  expect(awake).toBe(true);
});

test('a reader that is behind when its command has to end is waited for no longer, and is owed nothing', async () => {
  const reader = new SlowReader();
  const writer = new ResultWriter(reader, 'stdout', false);
  const waiting = writer.line('x'.repeat(70_000));
  const streams = { stdout: reader, stderr: new SlowReader() };
  expect(isOwing(streams)).toBe(true);
  writer.hurry(new Error('too late'), 1);
  await expect(waiting).rejects.toThrow('too late');
  await writer.close();
  expect(() => writer.line('1')).toThrow('too late');
  expect(isOwing(streams)).toBe(false);
});

test('nor one that takes nothing of the last of it', async () => {
  const writer = new ResultWriter(new SlowReader(), 'stdout', false);
  writer.hurry(new Error('too late'), 1);
  writer.line('1');
  await writer.close();
  expect(writer.failure?.message).toBe('too late');
});

test('one that takes it in time gets all of it', async () => {
  const reader = new SlowReader();
  const writer = new ResultWriter(reader, 'stdout', false);
  writer.hurry(new Error('too late'), 60_000);
  writer.line('1');
  const closed = writer.close();
  reader.go();
  await closed;
  expect(writer.failure).toBeUndefined();
  expect(reader.taken).toBe('1\n');
});

test('the first line waits for no other', async () => {
  const reader = new SlowReader();
  const writer = new ResultWriter(reader, 'stdout', false);
  expect(writer.line('1')).toBeUndefined();
  await new Promise((resolve) => setImmediate(resolve));
  expect(reader.taken).toBe('1\n');
});

test('a reader that went away is OutputGone, from the next line on', async () => {
  const reader = new SlowReader();
  const writer = new ResultWriter(reader, 'stdout', false);
  reader.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  await new Promise((resolve) => setImmediate(resolve));
  expect(() => writer.line('1')).toThrow(OutputGone);
  await writer.close();
});

test('a file is emptied first, and complete when close resolves', async () => {
  const path = join(folder, 'out.ndjson');
  writeFileSync(path, 'old and longer than the new\n');
  const writer = await openResultWriter(path, undefined, noTerminal);
  writer.line('1');
  writer.line('2');
  await writer.close();
  expect(readFileSync(path, 'utf8')).toBe('1\n2\n');
});

test('the input itself is refused and stays as it was', async () => {
  const path = join(folder, 'in.ndjson');
  writeFileSync(path, '1\n');
  await expect(openResultWriter(path, statSync(path), noTerminal)).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
  });
  expect(readFileSync(path, 'utf8')).toBe('1\n');
});

test('a FIFO that nobody reads is given up with the reason of the signal; one that is read gets it all', async () => {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const controller = new AbortController();
  const opening = openResultWriter(path, undefined, noTerminal, controller.signal);
  controller.abort(new Error('enough'));
  await expect(opening).rejects.toThrow('enough');
  const reader = await openFifoToRead(path);
  const writer = await openResultWriter(path, undefined, noTerminal);
  writer.line('1');
  await writer.close();
  expect(await text(reader)).toBe('1\n');
  await expect(openResultWriter(path, statSync(path), noTerminal)).rejects.toThrow('it is the input too');
});

test('a folder that is not there is told before anything runs', async () => {
  const path = join(folder, 'nowhere', 'out.ndjson');
  await expect(openResultWriter(path, undefined, noTerminal)).rejects.toThrow('there is no folder');
});
