/** Random messages of the streams that carry payloads: every field, every case, sizes around every boundary. */
import fc from 'fast-check';
import type { AttemptEnded, DataRequest, DataResponse, FailedTry } from './gen/shoal/v1/agent.ts';
import type {
  Block,
  CatalogueError,
  ChildSetup,
  ItemAttempt,
  ItemFailure,
  ItemRange,
  JobOptions,
  Print,
  ResultRun,
  TaskRef,
} from './gen/shoal/v1/common.ts';
import {
  Encoding,
  FailureKind,
  Isolation,
  PrintStream,
  StartMode,
  StdioMode,
} from './gen/shoal/v1/common.ts';
import {
  JobState,
  type MapRequest,
  type MapResponse,
  type PushItemsRequest,
  type ReadResultsResponse,
} from './gen/shoal/v1/job.ts';

const anyOf = <T extends number>(values: Readonly<Record<string, T>>): fc.Arbitrary<T> =>
  fc.constantFrom(...Object.values(values));

/** Lengths around each that matters to a writer: varints, small payloads, its scratch, a part. */
const length = fc.oneof(
  fc.constantFrom(0, 1, 126, 127, 128, 129, 511, 512, 513, 4090, 4096, 4100, 16_383, 16_384, 70_000),
  fc.nat(600),
);
const bytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(length, fc.nat(255))
  .map(([size, fill]) => new Uint8Array(size).fill(fill));
const uint32 = fc.oneof(fc.constantFrom(0, 1, 127, 128, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat());
const uint64 = fc.oneof(
  fc.constantFrom(0, 1, 2 ** 31, 2 ** 32, 2 ** 35, Number.MAX_SAFE_INTEGER),
  fc.maxSafeNat(),
);
const double = fc.double({ noNaN: true });
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.tuple(length, fc.constantFrom('a', 'é', '鱼', '🐟')).map(([size, letter]) => letter.repeat(size)),
);
const texts = fc
  .dictionary(fc.string({ maxLength: 8 }), text, { maxKeys: 3 })
  .map(({ ...entries }) => entries);
const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 3 });
const oneCase = <C extends string, T>(
  $case: C,
  value: fc.Arbitrary<T>,
): fc.Arbitrary<{ $case: C; value: T }> => fc.record({ $case: fc.constant($case), value });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const nothing = fc.constant({});

const block: fc.Arbitrary<Block> = fc.record({
  first: uint64,
  count: uint32,
  payload: bytes,
  more: fc.boolean(),
  totalBytes: uint64,
  broadcastSha256: few(text),
});
const run: fc.Arbitrary<ResultRun> = fc.record({
  first: uint64,
  count: uint32,
  payload: bytes,
  payloadSkip: uint32,
  more: fc.boolean(),
  totalBytes: uint64,
  runMs: double,
  pid: uint32,
  agent: text,
});
const range: fc.Arbitrary<ItemRange> = fc.record({ first: uint64, count: uint64 });
const attempt: fc.Arbitrary<ItemAttempt> = fc.record({
  agent: text,
  pid: maybe(uint32),
  exitCode: maybe(fc.integer()),
  signal: text,
  ms: maybe(double),
  withItsServer: fc.boolean(),
});
const catalogueError: fc.Arbitrary<CatalogueError> = fc.record({
  code: text,
  facts: texts,
  message: text,
  error: bytes,
});
const failure: fc.Arbitrary<ItemFailure> = fc.record({
  index: uint64,
  code: text,
  kind: anyOf(FailureKind),
  attempts: few(attempt),
  facts: texts,
  error: bytes,
  summary: text,
  stderrTail: text,
});
const failedTry: fc.Arbitrary<FailedTry> = fc.record({
  index: uint64,
  kind: anyOf(FailureKind),
  code: text,
  retryable: fc.boolean(),
  attempt: maybe(attempt),
  error: bytes,
  summary: text,
  stderrTail: text,
  facts: texts,
});
const print: fc.Arbitrary<Print> = fc.record({
  stream: anyOf(PrintStream),
  agent: text,
  pid: uint32,
  index: maybe(uint64),
  task: text,
  text,
});
const task: fc.Arbitrary<TaskRef> = fc.record({
  name: text,
  function: maybe(
    fc.oneof(
      oneCase('moduleExport', fc.record({ bundleSha256: text, export: text })),
      oneCase('registered', fc.record({ bundleSha256: text, origin: text, ordinal: uint32 })),
      oneCase('named', text),
      oneCase('inlineSource', text),
    ),
  ),
});
const options: fc.Arbitrary<JobOptions> = fc.record({
  encoding: anyOf(Encoding),
  spread: fc.boolean(),
  unordered: fc.boolean(),
  totalItems: maybe(uint64),
  chunkSize: uint32,
  timeoutMs: uint64,
  deadlineMs: uint64,
  retries: maybe(
    fc.record({ thrown: maybe(uint32), crash: maybe(uint32), timeout: maybe(uint32), lost: maybe(uint32) }),
  ),
  retryOn: maybe(
    fc.record({
      rule: maybe(
        fc.oneof(oneCase('names', fc.record({ names: few(text) })), oneCase('predicateSource', text)),
      ),
    }),
  ),
  maxTasksPerChild: uint32,
  concurrentTasksPerChild: uint32,
  failFast: fc.boolean(),
  pure: fc.boolean(),
  priority: fc.integer(),
  labels: texts,
  windowItems: uint32,
  maxResultBytes: uint64,
  group: maybe(fc.record({ id: text, processes: uint32 })),
});
const setup: fc.Arbitrary<ChildSetup> = fc.record({
  env: texts,
  execArgv: few(text),
  initializer: maybe(
    fc.record({ task: maybe(task), args: bytes, broadcastSha256: few(text), timeoutMs: uint64 }),
  ),
  stdio: anyOf(StdioMode),
  startChildren: anyOf(StartMode),
  preload: fc.boolean(),
  maxRssBytes: uint64,
  maxAgeMs: uint64,
  onlyEnv: fc.boolean(),
  isolation: anyOf(Isolation),
  output: maybe(
    fc.record({
      printBytes: uint64,
      printBytesPerSecond: uint64,
      errorChars: uint32,
      errorDepth: uint32,
      errorFields: uint32,
      errorBytes: uint32,
    }),
  ),
});
const ended: fc.Arbitrary<AttemptEnded> = fc.record({
  ending: maybe(
    fc.oneof(
      oneCase('finished', nothing),
      oneCase('childDied', fc.record({ death: maybe(attempt), suspects: few(range), stderrTail: text })),
      oneCase('returned', fc.record({ started: few(range), lacking: maybe(catalogueError) })),
      oneCase('unrunnable', fc.record({ error: maybe(catalogueError) })),
    ),
  ),
});

export const dataRequests: fc.Arbitrary<DataRequest> = fc.record({
  hello: maybe(fc.record({ session: uint64, epoch: uint64 })),
  sequence: uint64,
  reports: few(fc.record({ attempt: uint64, runs: few(run), failures: few(failedTry), ended: maybe(ended) })),
  prints: few(fc.record({ jobId: text, prints: few(print) })),
});

export const dataResponses: fc.Arbitrary<DataResponse> = fc.record({
  takenSequence: uint64,
  setups: few(fc.record({ jobId: text, task: maybe(task), options: maybe(options), setup: maybe(setup) })),
  blocks: few(fc.record({ jobId: text, blocks: few(block) })),
  dispatches: few(
    fc.record({
      attempt: uint64,
      jobId: text,
      first: uint64,
      count: uint32,
      marksStarts: fc.boolean(),
      tryNumber: uint32,
      groupSlots: uint32,
    }),
  ),
  forgetBlocks: few(fc.record({ jobId: text, before: uint64 })),
  forgetJobIds: few(text),
});

export const pushItemsRequests: fc.Arbitrary<PushItemsRequest> = fc.record({
  message: maybe(
    fc.oneof(
      oneCase(
        'start',
        fc.record({ jobId: text, firstIndex: uint64, clientSession: text, stream: maybe(uint64) }),
      ),
      oneCase('block', block),
      oneCase('endOfInput', fc.record({ totalItems: uint64 })),
    ),
  ),
});

export const readResultsResponses: fc.Arbitrary<ReadResultsResponse> = fc.record({
  message: maybe(
    fc.oneof(
      oneCase(
        'batch',
        fc.record({
          position: uint64,
          outcomes: few(
            fc.record({ outcome: maybe(fc.oneof(oneCase('run', run), oneCase('failure', failure))) }),
          ),
        }),
      ),
      oneCase('granted', fc.record({ upTo: uint64 })),
      oneCase('print', print),
      oneCase(
        'ended',
        fc.record({
          state: anyOf(JobState),
          succeeded: uint64,
          failed: uint64,
          failedIndex: maybe(uint64),
          error: maybe(catalogueError),
        }),
      ),
    ),
  ),
});

export const mapRequests: fc.Arbitrary<MapRequest> = fc.record({
  start: maybe(fc.record({ function: text, options: maybe(options), setup: maybe(setup) })),
  items: few(bytes),
});

export const mapResponses: fc.Arbitrary<MapResponse> = fc.record({
  outcomes: few(
    fc.record({
      index: uint64,
      outcome: maybe(fc.oneof(oneCase('value', bytes), oneCase('failure', failure))),
    }),
  ),
  prints: few(print),
  summary: maybe(fc.record({ succeeded: uint64, failed: uint64, jobId: text })),
  jobId: text,
});
