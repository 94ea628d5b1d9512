// Works through one share, asked once to warm up and once for the results.
import { tasks } from '../tasks.js';

process.on('message', ({ task, items }) => {
  process.send?.(items.map(tasks[task]));
});
