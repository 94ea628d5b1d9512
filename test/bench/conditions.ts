/** What holds for all tables of `npm run bench`, as lines of Markdown after a sentence. */
export const conditions: readonly string[] = [
  'Before a run counts, everybody has',
  'done as many items unmeasured as the heading of the table says, and starts of a process, imports and memory none; who is slow',
  'has a smaller share of the items, named in the table, and does no more than that before. Lists of nothing but numbers, as those',
  'of `x + 1`, travel as typed arrays in Shoal, and records of one shape whose fields are primitive, as the small ones, by column:',
  'items of other kinds cost more. Redis, Dask and Shoal are reached over TCP, as they are between machines; the processes of',
  'mpi4py share memory.',
];
