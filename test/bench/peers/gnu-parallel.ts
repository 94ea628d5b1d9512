import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { nodePeer, type Peer, type Setting } from '../peer.ts';

const increment = fileURLToPath(new URL('gnu-parallel-increment.js', import.meta.url));

/** GNU parallel: a command for each item, here Node with one call in it. */
export const gnuParallel: Peer = nodePeer('GNU parallel, node', 'gnu-parallel', () => {
  const { status, stdout } = spawnSync('parallel', ['--version'], { encoding: 'utf8' });
  const version = /GNU parallel (\d+)/.exec(stdout ?? '')?.[1];
  if (status !== 0 || version === undefined) {
    return { missing: 'GNU parallel is not installed (apt-get install parallel)' };
  }
  return { version };
});

/** How it is called: an item a line on its stdin, a result a line on its stdout. */
export const parallelArgs = ({ processes }: Setting): readonly string[] => [
  '--will-cite',
  '--keep-order',
  '--jobs',
  String(processes),
  process.execPath,
  increment,
];

export async function start(setting: Setting) {
  return {
    map: async (items: readonly unknown[]) => {
      const child = spawn('parallel', parallelArgs(setting), { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.end(items.map((item) => `${item}\n`).join(''));
      const [out] = await Promise.all([text(child.stdout), once(child, 'close')]);
      return out.trimEnd().split('\n').map(Number);
    },
    close: async () => {},
  };
}
