import { expect, test } from 'vitest';
import { chapters } from './chapters.ts';

/**
 * What Python documents of `multiprocessing.pool`, statement by statement, in our words, and the cases that hold every pool
 * to it. A case is named by its subject and the beginning of its sentence.
 */
const statements: readonly [of: string, says: string, ...cases: string[]][] = [
  // -- Pool(...) -----------------------------------------------------------------------------------------------
  ['Pool', 'jobs are submitted to worker processes', 'ordering: as many items run at once'],
  ['Pool', 'results may be waited for with a time-out', 'jobs: a wait that runs out leaves the job'],
  ['Pool', 'results may be told to callbacks', 'jobs: the callback of success is called once'],
  ['Pool', 'there is a parallel map', 'ordering: the seven scientists come back in order'],
  [
    'Pool(processes)',
    'so many processes',
    'ordering: as many items run at once as the pool has processes, and no more',
  ],
  ['Pool(processes)', 'None: as many as usable CPUs', 'ordering: without a number of processes'],
  [
    'Pool(initializer)',
    'runs with initargs as a process starts',
    'initializer: it runs with its arguments, once',
  ],
  ['Pool(initializer)', 'in every process', 'initializer: it runs again in each process'],
  [
    'Pool(maxtasksperchild)',
    'a process that has run so many tasks leaves and is replaced',
    'recycling: 12 items with a limit of 2',
    'recycling: no process starts more calls than its limit',
  ],
  [
    'Pool(maxtasksperchild)',
    'None: processes live as long as the pool',
    'recycling: without a limit a process lives',
  ],
  ['Pool', 'a pool cannot be sent to another process', 'values: a pool cannot be sent'],
  ['Pool', 'a pool is to be closed or terminated', 'ending: once a closed pool has done its work'],
  // -- apply, map and their kin --------------------------------------------------------------------------------
  [
    'apply',
    'calls the function with its arguments',
    'inputs: apply calls the function once with its arguments',
  ],
  ['apply', 'waits for the result, in one process', 'inputs: apply is executed in one process of the pool'],
  ['apply_async', 'gives an object for the result', 'jobs: submit gives a handle'],
  ['apply_async(callback)', 'is called with the result', 'jobs: the callback of success is called once'],
  ['apply_async(callback)', 'not where the call failed', 'jobs: the callback of failure is called once'],
  ['apply_async(error_callback)', 'is called with the error', 'jobs: the callback of failure is called once'],
  [
    'apply_async(callback)',
    'must not hold up the others',
    'jobs: a callback of success that throws harms neither',
  ],
  ['map', 'is the parallel equivalent of map', 'ordering: results keep the order of the items'],
  ['map', 'waits until all is there', 'ordering: 100,000 tiny items come back complete'],
  [
    'map(chunksize)',
    'cuts the input into chunks of about that size',
    'ordering: the items of a chunk run one after',
  ],
  ['map(chunksize)', 'has to be positive', 'options: every number of a method is checked'],
  ['map', 'takes memory for long inputs; imap does not', 'windows: an endless input is pulled no further'],
  ['map_async', 'is map with an object for the result', 'jobs: submit gives a handle'],
  ['imap', 'is a lazier map', 'streams: the first result is there long before the input has ended'],
  ['imap', 'keeps the order', 'streams: imap yields the results in order'],
  ['imap(chunksize)', 'is as with map', 'streams: next() takes a time-out with any chunk size'],
  [
    'imap.next(timeout)',
    'raises TimeoutError when the result is late',
    'streams: a next() that times out loses nothing',
  ],
  [
    'imap_unordered',
    'has the order in which results are ready',
    'streams: imapUnordered yields each result once',
  ],
  [
    'imap_unordered',
    'keeps the order with one process',
    'streams: with one process imapUnordered keeps the order',
  ],
  ['starmap', 'unpacks each element into arguments', 'inputs: starmap spreads each element'],
  // -- the end -------------------------------------------------------------------------------------------------
  ['close', 'prevents further submissions', 'ending: after close() every method refuses work'],
  [
    'close',
    'processes leave when all is done',
    'ending: once a closed pool has done its work its processes leave',
  ],
  [
    'terminate',
    'stops processes without finishing what is left',
    'ending: terminate() stops processes at once',
  ],
  [
    'join',
    'waits for the processes to leave',
    'ending: once a closed pool has done its work its processes leave',
  ],
  ['join', 'needs close() or terminate() before', 'ending: join() before close() is an error'],
  ['with Pool()', 'terminates at the end of the block', 'ending: leaving the block terminates the pool'],
  // -- AsyncResult ---------------------------------------------------------------------------------------------
  ['get', 'gives the result when it is there', 'jobs: submit gives a handle whose result may be asked for'],
  [
    'get(timeout)',
    'raises TimeoutError when it is late',
    'jobs: a wait that runs out leaves the job as it was',
  ],
  ['get', 'raises what the call raised', 'jobs: a job that fails tells its handle'],
  ['wait', 'waits for the end, well or not', 'jobs: wait() comes back when the job has ended'],
  ['ready', 'says whether the call has ended', 'jobs: wait() comes back when the job has ended'],
  ['successful', 'says whether it ended without an error', 'jobs: a job that fails tells its handle'],
  ['successful', 'raises when it is not ready', 'jobs: whether a job that runs was successful'],
];

const cases = chapters.flatMap(({ subject, cases }) =>
  cases.map(({ sentence }) => `${subject}: ${sentence}`),
);

test.each(statements)('%s: %s', (_of, _says, ...shownBy) => {
  for (const each of shownBy) {
    expect(
      cases.filter((sentence) => sentence.startsWith(each)),
      each,
    ).not.toEqual([]);
  }
});
