import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forkAddon } from './fork-addon.ts';

const run = promisify(execFile);
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

// Where there is the addon, there was a compiler.
describe.skipIf(forkAddon().why !== undefined)('on a kernel that lacks what a fork server needs', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-older-kernel-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.concurrent.each([
    ['recvmsg', 'it takes no order', /^it ended by exit code 0$/],
    ['dup3', 'its copies fail', /^a copy of it failed \(exit code 125\)$/],
    ['prctl', 'what it has cannot be told', /^loading left a thread \(.+\) behind/],
  ])('without %s %s: children are spawned, and do all that was asked of them', async (call, _, why) => {
    const wrapper = join(folder, call);
    const flags = ['-Wall', '-Wextra', '-Werror', `-DREFUSED=SYS_${call}`];
    await run(process.env['CC'] ?? 'cc', [...flags, fixture('without-call.c'), '-o', wrapper]);
    const command = [process.execPath, '--conditions=@shoal/source', fixture('starts.ts')];
    const { stdout } = await run(wrapper, command, { timeout: 60_000 });
    expect(JSON.parse(stdout)).toEqual({
      results: [2, 3, 4],
      spawned: expect.any(Number),
      forked: 0,
      notForked: expect.stringMatching(why),
    });
  });
});
