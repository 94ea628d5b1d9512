/**
 * What a copy must be able to do, tried by the first copies of each server: compiling, collecting, waiting, reading in
 * another thread, ending. A copy that hangs is found out by the pool's clock.
 */
import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { SelfTestResult } from '../launchers/fork-news.ts';
import { random } from './chance.ts';

const emptyModule = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
/** Whose types are the DOM's. */
const { compile } = Reflect.get(globalThis, 'WebAssembly') as {
  compile(bytes: Uint8Array): Promise<unknown>;
};
const allocations = 20_000;
const rounds = 20_000;

/** Try it, write a {@link SelfTestResult} to the channel, and end with exit code 0. */
export async function selfTest(): Promise<void> {
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum = (sum * 31 + i) % 1_000_003;
  const kept = Array.from({ length: allocations }, (_, i) => ({ i, text: `${i}` }));
  await compile(emptyModule);
  await readFile('/proc/self/stat', 'utf8');
  await new Promise((resolve) => setTimeout(resolve, 1));
  if (sum < 0 || kept.length !== allocations) return;
  const result: SelfTestResult = {
    pid: process.pid,
    random: random(),
    uuid: globalThis.crypto.randomUUID(),
  };
  writeSync(3, JSON.stringify(result));
  // A trial has run no task: what preloaded modules have put down for the end of a child is not to be done for it.
  process.removeAllListeners('exit');
  process.exit(0);
}
