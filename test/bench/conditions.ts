/** What holds for all tables of `npm run bench`, as lines of Markdown after a sentence. */
export const conditions: readonly string[] = [
  'A row is of a pool in use: everybody has',
  'done as many items unmeasured as the heading of the table says, which is a whole map of the same size. They are fewer where',
  'processes are replaced, before a job of ten seconds, and before the first map of a pool: its two items leave the code as cold',
  'as a young process has it. Before starts of a process, imports and memory there are none. Who is slow has a smaller share of',
  'the items, named in the table, before the run and in it. GNU parallel starts a command for each item, so it stands where starts',
  'of processes are measured, and nowhere else. Lists of nothing but numbers, as those of `x + 1`, travel as typed arrays in Shoal,',
  'and records of one shape whose fields are primitive, as the small ones, by column: items of other kinds cost more. Redis, Dask',
  'and Shoal are reached over TCP, as they are between machines; the processes of mpi4py share memory.',
];
