import { broadcasts } from './cases/broadcast.cases.ts';
import { cancellation } from './cases/cancellation.cases.ts';
import { deaths } from './cases/deaths.cases.ts';
import { ending } from './cases/ending.cases.ts';
import { errors } from './cases/errors.cases.ts';
import { fairness } from './cases/fairness.cases.ts';
import { forgeries } from './cases/forgeries.cases.ts';
import { functions } from './cases/functions.cases.ts';
import { initializer } from './cases/initializer.cases.ts';
import { inputs } from './cases/inputs.cases.ts';
import { jobs } from './cases/jobs.cases.ts';
import { options } from './cases/options.cases.ts';
import { ordering } from './cases/ordering.cases.ts';
import { prints } from './cases/prints.cases.ts';
import { recycling } from './cases/recycling.cases.ts';
import { requests } from './cases/requests.cases.ts';
import { retries } from './cases/retries.cases.ts';
import { speculation } from './cases/speculation.cases.ts';
import { streams } from './cases/streams.cases.ts';
import { timeouts } from './cases/timeouts.cases.ts';
import { values } from './cases/values.cases.ts';
import { windows } from './cases/windows.cases.ts';
import type { Chapter } from './specification.ts';

/** What every pool promises, by subject. */
export const chapters: readonly Chapter[] = [
  ordering,
  inputs,
  functions,
  values,
  broadcasts,
  errors,
  retries,
  deaths,
  forgeries,
  timeouts,
  recycling,
  initializer,
  streams,
  windows,
  fairness,
  speculation,
  jobs,
  requests,
  cancellation,
  ending,
  options,
  prints,
];

/**
 * What another machine may change: what travels (the network, TLS), where it arrives (a file system, users and pids of
 * its own, the bundles of the image instead of the sources) and how processes end there. Cases of these that do not depend
 * on it say why (`Except`).
 *
 * The surface is the same code over the loopback interface, and so is what the coordinator decides by events alone:
 * retries, time-outs, fairness, speculation. Each case here costs a connection and new processes in two containers.
 */
export const farChapters: readonly Chapter[] = [
  ordering,
  values,
  broadcasts,
  errors,
  deaths,
  recycling,
  initializer,
  prints,
];

/** Every case takes its time: where children are forked, all of them are held on demand only (`npm run conformance:fork`). */
const holdsAll = process.env['CONFORMANCE'] === 'all';

/** What depends on how children are started: how they end, what of them is seen from outside. */
export const childChapters: readonly Chapter[] = holdsAll
  ? chapters
  : [deaths, timeouts, recycling, initializer, ending, prints];

/** What depends on whether they share modules: what is loaded, once or in each, and what becomes of its prints and errors. */
export const sharedModuleChapters: readonly Chapter[] = holdsAll
  ? chapters
  : [functions, deaths, recycling, initializer, prints];

/** The same on a cluster, where the agent reports what its children came to: lives, deaths, and who is blamed for them. */
export const forkingClusterChapters: readonly Chapter[] = holdsAll ? chapters : [deaths, recycling];
