// Works through one share, asked once to warm up and once for the results.
const { tasks } = await import(process.argv[2] ?? new URL('../tasks.js', import.meta.url).href);

process.on('message', ({ task, items }) => {
  process.send?.(items.map(tasks[task]));
});
