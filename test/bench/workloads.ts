import type { Workload } from './workload.ts';
import { childMemory } from './workloads/child-memory.ts';
import { clusterEcho } from './workloads/cluster-echo.ts';
import { clusterFirstMap } from './workloads/cluster-first-map.ts';
import { clusterIncrement } from './workloads/cluster-increment.ts';
import { clusterLong } from './workloads/cluster-long.ts';
import { clusterMillisecond } from './workloads/cluster-millisecond.ts';
import { clusterRecords } from './workloads/cluster-records.ts';
import { clusterSingle } from './workloads/cluster-single.ts';
import { clusterTls } from './workloads/cluster-tls.ts';
import { firstLine } from './workloads/first-line.ts';
import { firstResult } from './workloads/first-result.ts';
import { forkedMemory } from './workloads/forked-memory.ts';
import { forkedProcess } from './workloads/forked-process.ts';
import { freshProcess } from './workloads/fresh-process.ts';
import { heavyModule } from './workloads/heavy-module.ts';
import { importCost } from './workloads/import-cost.ts';
import { localEcho } from './workloads/local-echo.ts';
import { localFirstMap } from './workloads/local-first-map.ts';
import { localIncrement } from './workloads/local-increment.ts';
import { localMillisecond } from './workloads/local-millisecond.ts';
import { localRecords } from './workloads/local-records.ts';
import { longLived } from './workloads/long-lived.ts';
import { recycledByTens } from './workloads/recycled-by-tens.ts';
import { recycledWhileWaiting } from './workloads/recycled-while-waiting.ts';
import { streamMemory } from './workloads/stream-memory.ts';

/** Everything that `npm run bench` measures, in this order. */
export const workloads: readonly Workload[] = [
  localIncrement,
  localFirstMap,
  localRecords,
  localMillisecond,
  localEcho,
  freshProcess,
  forkedProcess,
  heavyModule,
  recycledByTens,
  recycledWhileWaiting,
  longLived,
  clusterIncrement,
  clusterFirstMap,
  clusterRecords,
  clusterSingle,
  clusterMillisecond,
  clusterLong,
  clusterEcho,
  clusterTls,
  streamMemory,
  childMemory,
  forkedMemory,
  firstResult,
  firstLine,
  importCost,
];
