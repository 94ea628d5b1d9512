// A worker process of BullMQ. Four jobs are under way, as Celery fetches four ahead and a slot of Shoal has them.
import { Worker } from 'bullmq';
import { tasks } from '../tasks.js';

const worker = new Worker('bench', async ({ name, data }) => tasks[name](data.data), {
  connection: { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null },
  concurrency: 4,
});
await worker.waitUntilReady();
process.send?.('ready');
