import { Encoding, JobSetup, StartMode } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { type AgentTerms, bundlesOf, jobTemplate } from './child-request.ts';

const sha256 = 'a'.repeat(64);
const paths = new Map([[sha256, '/cache/a.mjs']]);
const terms: AgentTerms = {
  encodings: ['v8', 'json', 'bytes'],
  agent: 'agent-1',
  env: { PATH: '/bin', SHOAL_TOKEN: 'secret' },
  maxTasksPerChild: undefined,
  maxRssBytes: undefined,
  startChildren: undefined,
  isolation: {
    level: 'process',
    firstUid: 500,
    lastUid: 501,
    image: 'shoal:test',
    memoryBytes: 2 ** 30,
    cpus: 1,
  },
  bundleDir: '/bundles',
  workParentDir: '/work',
};
/** A message of which only some fields are given. */
type Sketch<T> = T extends Uint8Array
  ? T
  : T extends (infer U)[]
    ? Sketch<U>[]
    : T extends object
      ? { [K in keyof T]?: Sketch<T[K]> }
      : T;

const setup = (partial: Sketch<JobSetup> = {}): JobSetup =>
  JobSetup.fromPartial({
    jobId: 'job-1',
    task: {
      name: 'resize',
      function: { $case: 'moduleExport', value: { bundleSha256: sha256, export: 'resize' } },
    },
    options: { group: { id: 'group-1' } },
    ...partial,
  } as JobSetup);
const keyOf = (partial: Sketch<JobSetup> = {}): string => jobTemplate(setup(partial), paths, terms).setup.key;

test('an export of a bundle is an export of the bundle’s file', () => {
  expect(jobTemplate(setup(), paths, terms).task).toEqual({
    name: 'resize',
    kind: 'export',
    url: 'file:///cache/a.mjs',
    export: 'resize',
  });
});

test('a registered task keeps its origin and ordinal', () => {
  const value = { bundleSha256: sha256, origin: 'shoal-bundle:/work.ts', ordinal: 2 };
  const task = { name: 'f', function: { $case: 'registered' as const, value } };
  expect(jobTemplate(setup({ task }), paths, terms).task).toMatchObject({
    kind: 'registered',
    url: 'file:///cache/a.mjs',
    origin: 'shoal-bundle:/work.ts',
    ordinal: 2,
  });
});

test('a bundle that serves twice is needed once', () => {
  const { task } = setup();
  expect(bundlesOf(setup({ setup: { initializer: { task } } }))).toEqual([sha256]);
});

test('jobs of one group with one setup share children', () => {
  expect(keyOf({ jobId: 'job-2' })).toBe(keyOf());
  expect(keyOf({ setup: { env: { A: '1', B: '2' } } })).toBe(keyOf({ setup: { env: { B: '2', A: '1' } } }));
});

test('another group, bundle, environment, option or initializer means other children', () => {
  const { task } = setup();
  const keys = [
    keyOf(),
    keyOf({ options: { group: { id: 'group-2' } } }),
    keyOf({ options: {} }),
    keyOf({ options: {}, jobId: 'job-2' }),
    keyOf({ setup: { env: { A: '1' } } }),
    keyOf({ setup: { execArgv: ['--expose-gc'] } }),
    keyOf({ setup: { maxRssBytes: 1 } }),
    keyOf({ setup: { initializer: { task } } }),
    keyOf({ setup: { initializer: { task, args: Uint8Array.of(1) } } }),
    keyOf({ task: { name: 'f', function: { $case: 'inlineSource', value: 'x => x' } } }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test('the smaller of the agent’s and the job’s limit of tasks holds', () => {
  const limit = (agents: number | undefined, jobs: number): number | undefined =>
    jobTemplate(setup({ options: { maxTasksPerChild: jobs } }), paths, { ...terms, maxTasksPerChild: agents })
      .maxTasksPerChild;
  expect([limit(undefined, 0), limit(5, 0), limit(undefined, 3), limit(5, 3), limit(2, 3)]).toEqual([
    undefined,
    5,
    3,
    3,
    2,
  ]);
});

test('the agent’s limit of memory holds for jobs that set none, and bounds the others', () => {
  const limit = (agents: number | undefined, jobs: number): number | undefined =>
    jobTemplate(setup({ setup: { maxRssBytes: jobs } }), paths, { ...terms, maxRssBytes: agents }).setup
      .maxRssBytes;
  expect([limit(undefined, 0), limit(5, 0), limit(undefined, 3), limit(5, 3), limit(2, 3)]).toEqual([
    undefined,
    5,
    3,
    3,
    2,
  ]);
});

test('children see the short list of the agent’s environment and what the job says', () => {
  const { env } = jobTemplate(setup({ setup: { env: { MODE: 'fast' } } }), paths, terms).setup;
  expect(env).toEqual({ PATH: '/bin', MODE: 'fast' });
});

test('a job in an encoding that the agent does not take is refused, with those that it takes', () => {
  const json: AgentTerms = { ...terms, encodings: ['json', 'bytes'] };
  const inEncoding = (encoding: Encoding) => () => jobTemplate(setup({ options: { encoding } }), paths, json);
  expect(inEncoding(Encoding.JSON)).not.toThrow();
  expect(inEncoding(Encoding.V8)).toThrow(
    expect.objectContaining({
      code: 'ENCODING_NOT_ACCEPTED',
      facts: { encoding: 'v8', accepted: 'json, bytes (shoal agent --encodings)' },
    }),
  );
  expect(inEncoding(99 as Encoding)).toThrow(expect.objectContaining({ code: 'ENCODING_NOT_ACCEPTED' }));
});

test('children are started as the job asks, unless the agent forks none; where the job does not say, as the agent was told, or spawned', () => {
  const way = (agents: AgentTerms['startChildren'], jobs: StartMode): string | undefined =>
    jobTemplate(setup({ setup: { startChildren: jobs } }), paths, { ...terms, startChildren: agents }).setup
      .startChildren;
  const { AUTO, FORK, SPAWN, UNSPECIFIED } = StartMode;
  const ways = (agents: AgentTerms['startChildren']): (string | undefined)[] =>
    [UNSPECIFIED, SPAWN, FORK, AUTO].map((jobs) => way(agents, jobs));
  expect(ways(undefined)).toEqual(['spawn', 'spawn', 'fork', 'auto']);
  expect(ways('spawn')).toEqual(['spawn', 'spawn', 'spawn', 'spawn']);
  expect(ways('fork')).toEqual(['fork', 'spawn', 'fork', 'auto']);
  expect(ways('auto')).toEqual(['auto', 'spawn', 'fork', 'auto']);
  const told = [UNSPECIFIED, SPAWN, FORK, AUTO].map(
    (jobs) =>
      jobTemplate(setup({ setup: { startChildren: jobs } }), paths, { ...terms, startChildren: 'spawn' })
        .setup.notForked,
  );
  const why = 'its agent spawns (--start-children spawn)';
  expect(told).toEqual([undefined, undefined, why, why]);
});
