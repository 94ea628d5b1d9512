import { type Mode, type Peer, type Setting, shoalPeer, tasksUrl } from '../peer.ts';

/** Shoal's pool on this machine. */
export const shoalLocal: Peer = shoalPeer('Shoal Pool', 'shoal-local');

export const load = () => import('shoal');

function startOf(mode: Mode): 'auto' | 'fork' | 'spawn' {
  if (mode.endsWith('Auto')) return 'auto';
  return mode.endsWith('Fork') || mode.endsWith('Warm') ? 'fork' : 'spawn';
}

export async function start({ task, mode, processes }: Setting) {
  const { Pool } = await load();
  const isFresh = mode.startsWith('fresh');
  const pool = new Pool({
    processes,
    startChildren: startOf(mode),
    ...(mode.endsWith('Warm') ? { preload: true } : {}),
    ...(isFresh ? { maxTasksPerChild: 1 } : mode === 'tensFork' ? { maxTasksPerChild: 10 } : {}),
  });
  const options = { export: task, ...(mode === 'single' || isFresh ? { chunkSize: 1 } : {}) };
  const url = mode.startsWith('freshHeavy') ? new URL('tasks-heavy.js', tasksUrl) : tasksUrl;
  return {
    map: (items: readonly unknown[]) => pool.map(url, items, options),
    close: () => pool.terminate(),
  };
}
