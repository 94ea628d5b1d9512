import { chunksOf, nodePeer, type Peer, packageVersion, type Setting, tasksUrl } from '../peer.ts';

/** piscina: a pool of threads, one call an item. */
export const piscina: Peer = nodePeer('piscina', 'piscina', () => packageVersion('piscina'));

export const load = () => import('piscina');

export async function start({ task, mode, processes }: Setting) {
  const { Piscina } = await load();
  const pool = new Piscina({ filename: tasksUrl.href, minThreads: processes, maxThreads: processes });
  const byHand = async (items: readonly unknown[]): Promise<unknown[]> => {
    const name = `${task}All`;
    const chunks = chunksOf(items, processes).map((chunk) => pool.run(chunk, { name }) as Promise<unknown[]>);
    return (await Promise.all(chunks)).flat(1);
  };
  const each = (items: readonly unknown[]): Promise<unknown[]> =>
    Promise.all(items.map((item) => pool.run(item, { name: task })));
  return { map: mode === 'chunks' ? byHand : each, close: () => pool.destroy() };
}
