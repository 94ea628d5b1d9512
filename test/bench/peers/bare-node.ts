import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nodePeer, type Peer, type Setting } from '../peer.ts';

const worker = fileURLToPath(new URL('bare-node-worker.js', import.meta.url));

/** No pool at all: processes that each work through a share of their own. What 100 % is for pools in JavaScript. */
export const bareNode: Peer = nodePeer('bare Node processes', 'bare-node', () => ({
  version: process.versions.node,
}));

export async function start({ task, processes }: Setting) {
  const children: ChildProcess[] = Array.from({ length: processes }, () => fork(worker));
  const run = async (child: ChildProcess, items: readonly unknown[]): Promise<readonly unknown[]> => {
    const answer = once(child, 'message');
    child.send({ task, items });
    return (await answer)[0] as readonly unknown[];
  };
  return {
    map: async (items: readonly unknown[]) => {
      const shares = children.map((child, number) =>
        run(
          child,
          items.filter((_, index) => index % processes === number),
        ),
      );
      const results = await Promise.all(shares);
      return items.map((_, index) => results[index % processes]?.[Math.floor(index / processes)]);
    },
    close: async () => {
      for (const child of children) child.disconnect();
    },
  };
}
