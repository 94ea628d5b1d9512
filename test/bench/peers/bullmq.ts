import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { chunksOf, nodePeer, type Peer, packageVersion, type Setting } from '../peer.ts';
import { RedisServer, redisVersion } from './redis-server.ts';

const worker = fileURLToPath(new URL('bullmq-worker.js', import.meta.url));

/** BullMQ: a queue in Redis, which is started for it, and worker processes that take one job at a time. */
export const bullmq: Peer = nodePeer('BullMQ', 'bullmq', () => {
  const redis = redisVersion();
  const found = packageVersion('bullmq');
  if ('missing' in redis || 'missing' in found) return 'missing' in redis ? redis : found;
  return { version: `${found.version}, Redis ${redis.version}` };
});

export async function start({ task, mode, processes }: Setting) {
  const { Queue, QueueEvents } = await import('bullmq');
  const redis = await RedisServer.start();
  const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null };
  const workers: ChildProcess[] = [];
  for (let number = 0; number < processes; number += 1) {
    const child = spawn(process.execPath, [worker, String(redis.port)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    workers.push(child);
    await once(child, 'message');
  }
  // As many events as a run ever has: what Redis trims before it is read would be waited for in vain.
  const queue = new Queue('bench', { connection, streams: { events: { maxLen: 1_000_000 } } });
  // From the first event on. Its default is from now on, where now is when the first read reaches Redis, which is later
  // than ready: a quick job has completed by then, and nobody hears of it.
  const events = new QueueEvents('bench', { connection, lastEventId: '0' });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  const name = mode === 'chunks' ? `${task}All` : task;
  let round = 0;

  /** Runs each job and gives the values in the order of the jobs. */
  const run = async (jobs: readonly unknown[]): Promise<unknown[]> => {
    round += 1;
    const prefix = `${round}-`;
    const values: unknown[] = [];
    let left = jobs.length;
    const all = Promise.withResolvers<void>();
    const onCompleted = ({ jobId, returnvalue }: { jobId: string; returnvalue: unknown }): void => {
      values[Number(jobId.slice(prefix.length))] = returnvalue;
      left -= 1;
      if (left === 0) all.resolve();
    };
    const onFailed = ({ failedReason }: { failedReason: string }): void =>
      all.reject(new Error(failedReason));
    events.on('completed', onCompleted);
    events.on('failed', onFailed);
    const opts = { removeOnComplete: true };
    await queue.addBulk(
      jobs.map((data, index) => ({ name, data: { data }, opts: { ...opts, jobId: `${prefix}${index}` } })),
    );
    if (left > 0) await all.promise;
    events.off('completed', onCompleted);
    events.off('failed', onFailed);
    return values;
  };
  return {
    map: async (items: readonly unknown[]) =>
      mode === 'chunks' ? ((await run(chunksOf(items, processes))) as unknown[][]).flat(1) : run(items),
    close: async () => {
      for (const child of workers) child.kill('SIGKILL');
      await Promise.allSettled([events.close(), queue.close()]);
      await redis.stop();
    },
  };
}
