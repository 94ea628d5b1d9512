// A worker process of BullMQ: one job at a time, as a slot of Shoal.
import { Worker } from 'bullmq';
import { tasks } from '../tasks.js';

const worker = new Worker('bench', async ({ name, data }) => tasks[name](data.data), {
  connection: { path: process.argv[2], maxRetriesPerRequest: null },
  concurrency: 1,
});
await worker.waitUntilReady();
process.send?.('ready');
