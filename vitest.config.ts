import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
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
  /** Generous: it ends what hangs, and nothing depends on it. A busy machine is ten times slower than an idle one. */
  readonly timeoutMs: number;
  /** It decides everything by itself: no processes, no sockets, no clock. What fails once is wrong. */
  readonly isPure?: boolean;
}

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
  { name: 'python', include: ['test/python/**/*.test.ts'], timeoutMs: 180_000, serial: true },
  { name: 'cluster', include: ['test/cluster/**/*.test.ts'], workers: 2, timeoutMs: 180_000, serial: true },
  { name: 'cli', include: ['test/cli/**/*.test.ts'], workers: 2, timeoutMs: 180_000, serial: true },
  { name: 'examples', include: ['test/examples/**/*.test.ts'], workers: 2, timeoutMs: 240_000, serial: true },
  { name: 'readme', include: ['test/readme/**/*.test.ts'], timeoutMs: 240_000, serial: true },
  {
    name: 'chaos',
    include: ['test/chaos/!(times).test.ts', 'test/chaos/soak/*.test.ts'],
    timeoutMs: 240_000,
    serial: true,
    workers: 2,
  },
  // Times of a few milliseconds are measured, so nothing else runs meanwhile.
  { name: 'times', include: ['test/chaos/times.test.ts'], timeoutMs: 240_000, serial: true },
  { name: 'bench', include: ['test/bench/**/*.test.ts'], timeoutMs: 600_000, serial: true },
  { name: 'e2e', include: ['test/e2e/**/*.test.ts'], timeoutMs: 480_000, serial: true },
];

/** Within its suite the soak is first: it takes its two minutes whatever happens, and the others run beside it. */
class SoakFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSoak = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/soak.test.ts');
    const at = sorted.findIndex(({ project }) => project.name === 'chaos');
    const rest = sorted.filter((file) => !isSoak(file));
    return at === -1 ? sorted : rest.toSpliced(at, 0, ...sorted.filter(isSoak));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: SoakFirst },
    reporters: report === undefined ? ['default'] : ['default', new TestReport(report)],
    coverage: {
      include: ['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.testkit.ts', 'libs/protocol/src/gen/**'],
    },
    projects: suites.map((suite, order) => ({
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
        ...(suite.serial ? { maxWorkers: suite.workers ?? 1 } : {}),
        // Groups run one after another: suites that measure or start processes have the machine to themselves.
        sequence: { groupOrder: suite.serial ? order : 0 },
      },
    })),
  },
});
