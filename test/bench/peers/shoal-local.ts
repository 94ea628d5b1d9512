import { nodePeer, type Peer, packageVersion, type Setting, tasksUrl } from '../peer.ts';

/** Shoal's pool on this machine. */
export const shoalLocal: Peer = nodePeer('Shoal Pool', 'shoal-local', () => packageVersion('shoal'));

export const load = () => import('shoal');

export async function start({ task, mode, processes }: Setting) {
  const { Pool } = await load();
  const pool = new Pool({ processes, ...(mode === 'fresh' ? { maxTasksPerChild: 1 } : {}) });
  const options = { export: task, ...(mode === 'single' || mode === 'fresh' ? { chunkSize: 1 } : {}) };
  return {
    map: (items: readonly unknown[]) => pool.map(tasksUrl, items, options),
    close: () => pool.terminate(),
  };
}
