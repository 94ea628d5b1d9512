import { fileURLToPath } from 'node:url';
import { nodePeer, type Peer, packageVersion, type Setting } from '../peer.ts';

const worker = fileURLToPath(new URL('workerpool-worker.js', import.meta.url));

/** workerpool, with processes: one call an item. */
export const workerpool: Peer = nodePeer('workerpool', 'workerpool', () => packageVersion('workerpool'));

export const load = () => import('workerpool');

export async function start({ task, processes }: Setting) {
  const { default: library } = await load();
  const pool = library.pool(worker, { workerType: 'process', minWorkers: processes, maxWorkers: processes });
  return {
    map: (items: readonly unknown[]) => Promise.all(items.map((item) => pool.exec(task, [item]))),
    close: async () => {
      await pool.terminate();
    },
  };
}
