import { nodePeer, type Peer, packageVersion, type Setting, tasksUrl } from '../peer.ts';

/** tinypool, with processes: one call an item. */
export const tinypool: Peer = nodePeer('tinypool', 'tinypool', () => packageVersion('tinypool'));

export const load = () => import('tinypool');

export async function start({ task, mode, processes }: Setting) {
  const { Tinypool } = await load();
  const pool = new Tinypool({
    filename: tasksUrl.href,
    runtime: 'child_process',
    minThreads: processes,
    maxThreads: processes,
    isolateWorkers: mode === 'fresh',
  });
  return {
    map: (items: readonly unknown[]) => Promise.all(items.map((item) => pool.run(item, { name: task }))),
    close: () => pool.destroy(),
  };
}
