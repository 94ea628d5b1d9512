/** Where it is measured. */
export type Place = 'local' | 'cluster';

/** One point: so many items a job, so many jobs one after another, so many of them at once, on so many agents. */
export interface Point {
  readonly place: Place;
  readonly items: number;
  readonly jobs: number;
  readonly atOnce: number;
  /** Of one process each; of a local pool, its processes. */
  readonly agents: number;
  /** Undefined: what measured time suggests. */
  readonly chunkSize?: number;
  /** What is run before, unmeasured: as many items at all points of an axis, or for each process, in jobs of the same size. */
  readonly warmUp: { readonly items: number; readonly jobs: number };
}

/** What a point is measured with, beside what grows. */
export interface Means {
  readonly place: Place;
  readonly processes: number;
  readonly small: boolean;
}

/** Something that grows, while everything else stays. */
export interface Axis {
  /** On the command line and in the names of files. */
  readonly name: string;
  readonly title: string;
  /** Of what there is more and more. */
  readonly label: string;
  readonly at: readonly number[];
  readonly atSmall: readonly number[];
  readonly places: readonly Place[];
  readonly point: (at: number, means: Means) => Point;
}

/** Items that run before, in a full run and in a small one. */
const warmItems = (small: boolean): number => (small ? 400 : 10_000);

/** What a job costs once is in it: many small jobs are run for a small number of items, and their mean is told. */
const items: Axis = {
  name: 'items',
  title: 'CPU time an item, by the items of a job (x + 1)',
  label: 'items of a job',
  at: [1_000, 10_000, 100_000, 1_000_000, 10_000_000],
  atSmall: [500],
  places: ['local', 'cluster'],
  point: (at, { place, processes, small }) => {
    const jobs = Math.ceil((small ? 1_000 : 50_000) / at);
    const items = Math.min(at, warmItems(small));
    const warmUp = { items, jobs: Math.ceil(warmItems(small) / items) };
    return { place, items: at, jobs, atOnce: 1, agents: processes, warmUp };
  },
};

const agentsAxis: Axis = {
  name: 'agents',
  title: 'CPU time an item, by the agents of the cluster (x + 1, 10 items a chunk)',
  label: 'agents',
  at: [1, 2, 4, 8, 16, 32, 64],
  atSmall: [2],
  places: ['cluster'],
  point: (at, { place, small }) => {
    // As many for each child: a child that has run nothing yet would be counted for its start.
    const warmUp = { items: (small ? 20 : 1_000) * at, jobs: 1 };
    // Enough for 64 agents that what a job costs each of them once, as its first shard does, is not taken for an item's.
    const count = small ? 400 : 50_000;
    return { place, items: count, jobs: 1, atOnce: 1, agents: at, chunkSize: 10, warmUp };
  },
};

const jobs: Axis = {
  name: 'jobs',
  title: 'CPU time an item, by the jobs that run at once (x + 1, 100 items a job)',
  label: 'jobs at once',
  at: [1, 10, 100, 1_000],
  atSmall: [10],
  places: ['local', 'cluster'],
  point: (at, { place, processes, small }) => {
    const jobs = small ? 10 : Math.max(100, at);
    const warmUp = { items: 100, jobs: warmItems(small) / 100 };
    return { place, items: 100, jobs, atOnce: at, agents: processes, warmUp };
  },
};

/** Everything that `npm run bench -- --growth` measures. */
export const axes: readonly Axis[] = [items, agentsAxis, jobs];
