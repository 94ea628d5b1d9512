import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { LimitEdgesReport } from './tools/limit-edges-report.ts';
import { TestReport } from './tools/test-report.ts';

/** Workspace packages resolve to their sources, in the tests and in every Node process that a test starts. */
const fromSource = '@shoal/source';
const conditions = [fromSource, 'module', 'node', 'development|production'];

/** Where to write what every test came to, for the machine that runs them all. */
const report = process.env['SHOAL_TEST_REPORT'];

/** A machine runs them all, with nobody there to look again. */
const isUnattended = report !== undefined || process.env['CI'] !== undefined;

interface Suite {
  readonly name: string;
  readonly include: readonly string[];
  /** One file at a time: the suite starts processes or containers that would disturb a neighbour's timing. */
  readonly serial?: boolean;
  /** Of a serial suite: so many files at a time instead. For one whose files wait rather than compute. */
  readonly workers?: number;
  /**
   * It begins with an earlier suite and shares its workers: as many files run at a time, and nobody waits with an idle
   * core for the last file of a suite before the next suite begins.
   */
  readonly beside?: string;
  /** Generous: it ends what hangs, and nothing depends on it. A busy machine is ten times slower than an idle one. */
  readonly timeoutMs: number;
  /** It decides everything by itself: no processes, no sockets, no clock. What fails once is wrong. */
  readonly isPure?: boolean;
}

/**
 * Of the suites that are not serial, together. Vitest's own number leaves a core to itself, and would run their files one
 * after another on a machine of two.
 */
const workersMax = Math.max(2, availableParallelism() - 1);

const suites: readonly Suite[] = [
  { name: 'unit', include: ['libs/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'], timeoutMs: 120_000 },
  { name: 'architecture', include: ['test/architecture/**/*.test.ts'], timeoutMs: 180_000, isPure: true },
  { name: 'transcripts', include: ['test/transcripts/**/*.test.ts'], timeoutMs: 60_000, isPure: true },
  {
    name: 'simulation',
    include: ['test/simulation/**/*.test.ts'],
    timeoutMs: 600_000,
    serial: true,
    isPure: true,
  },
  {
    name: 'conformance',
    include: ['test/conformance/**/*.test.ts'],
    timeoutMs: 180_000,
    serial: true,
    workers: 2,
  },
  { name: 'python', include: ['test/python/**/*.test.ts'], timeoutMs: 180_000, beside: 'conformance' },
  { name: 'readme', include: ['test/readme/**/*.test.ts'], timeoutMs: 240_000, beside: 'conformance' },
  { name: 'cluster', include: ['test/cluster/**/*.test.ts'], timeoutMs: 180_000, beside: 'conformance' },
  { name: 'cli', include: ['test/cli/**/*.test.ts'], timeoutMs: 180_000, beside: 'conformance' },
  { name: 'examples', include: ['test/examples/**/*.test.ts'], timeoutMs: 240_000, beside: 'conformance' },
  // Whether it measures everybody is tested, and not how fast they are.
  { name: 'bench', include: ['test/bench/**/*.test.ts'], timeoutMs: 600_000, beside: 'conformance' },
  {
    name: 'chaos',
    include: ['test/chaos/!(times).test.ts', 'test/chaos/soak/*.test.ts'],
    timeoutMs: 240_000,
    serial: true,
    workers: 2,
  },
  // Beside the soak, which waits most of its two minutes.
  { name: 'e2e', include: ['test/e2e/**/*.test.ts'], timeoutMs: 480_000, beside: 'chaos' },
  // Times of a few milliseconds are measured, so nothing else runs meanwhile.
  { name: 'times', include: ['test/chaos/times.test.ts'], timeoutMs: 240_000, serial: true },
];

/** Whose workers a suite has. */
const hostOf = (suite: Suite): Suite => suites.find(({ name }) => name === suite.beside) ?? suite;

/**
 * Files that take longest of what runs together, which their size does not tell. A group that ends with one of them
 * leaves a core idle for as long; the soak takes its two minutes whatever happens.
 */
const longest: readonly string[] = [
  'libs/pool/src/launchers/fork.test.ts',
  'libs/pool/src/launchers/fork-shared-modules.test.ts',
  'libs/pool/src/child-pool/child-recycling.test.ts',
  'test/conformance/containers.test.ts',
  'test/bench/bench.test.ts',
  'test/conformance/local-pool.test.ts',
  'test/conformance/cluster.test.ts',
  'test/python/python-pool.test.ts',
  'test/examples/examples.test.ts',
  'test/cluster/slow-peers.test.ts',
  'test/chaos/soak/soak.test.ts',
  'test/e2e/containers.test.ts',
  'test/e2e/compose.test.ts',
];

/** Within what runs together, these begin first and in this order, and the others run beside them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((file) => moduleId.endsWith(`/${file}`));
      return at === -1 ? longest.length : at;
    };
    const order = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    // Stable: of the others the order stays.
    return sorted.sort((a, b) => order(a) - order(b) || rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: ['default', new LimitEdgesReport(), ...(report === undefined ? [] : [new TestReport(report)])],
    coverage: {
      include: ['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.testkit.ts', 'libs/protocol/src/gen/**'],
    },
    projects: suites.map((suite) => ({
      resolve: { conditions },
      ssr: { resolve: { conditions } },
      test: {
        name: suite.name,
        include: [...suite.include],
        environment: 'node',
        // Its clean-up container would have to be pulled; the suites that start containers remove them themselves.
        env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
        pool: 'forks',
        testTimeout: suite.timeoutMs,
        hookTimeout: suite.timeoutMs,
        // Processes, sockets and clocks meet with whatever else the machine does. A test that needed its second try is
        // named in the summary (tools/test-counts.mjs), and more than a few of them fail the run.
        retry: isUnattended && !suite.isPure ? 1 : 0,
        expect: { poll: { timeout: 30_000 } },
        maxWorkers: hostOf(suite).serial ? (hostOf(suite).workers ?? 1) : workersMax,
        // Groups run one after another: suites that measure or start processes have the machine to themselves.
        sequence: { groupOrder: hostOf(suite).serial ? suites.indexOf(hostOf(suite)) : 0 },
      },
    })),
  },
});
