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

export async function start({ processes }: Setting) {
  return {
    map: async (items: readonly unknown[]) => {
      const args = ['--will-cite', '--keep-order', '--jobs', String(processes), process.execPath, increment];
      const child = spawn('parallel', args, { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.end(items.map((item) => `${item}\n`).join(''));
      const [out] = await Promise.all([text(child.stdout), once(child, 'close')]);
      return out.trimEnd().split('\n').map(Number);
    },
    close: async () => {},
  };
}
