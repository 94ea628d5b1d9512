/**
 * The tasks for children that write CPU profiles: children are ended before Node's `--cpu-prof` could. The profile begins
 * when a child loads this module, so a child's start is not in it.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';

export * from './tasks.js';

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.start');
let isWritten = false;

/** Writes this child's profile to the folder, once. */
export async function writeProfile(folder: string): Promise<void> {
  if (isWritten) return;
  isWritten = true;
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(join(folder, `child-${process.pid}.cpuprofile`), JSON.stringify(profile));
}
