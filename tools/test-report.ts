/**
 * A reporter for the machine that runs every test: what each came to, a line of JSON at a time, as it is known. So a
 * run that is killed has left its report too. tools/test-counts.mjs reads it.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from 'vitest/node';

/** Of a stack. */
const framesMax = 3;

/** A line of the report. */
type ReportLine =
  | { readonly kind: 'began'; readonly file: string }
  | {
      readonly kind: 'test';
      readonly file: string;
      readonly name: string;
      readonly state: 'passed' | 'failed' | 'skipped';
      /** 2 for a test that came to this on its second try. */
      readonly tries: number;
      /** Of every try. */
      readonly errors: readonly string[];
    }
  /** With the errors that no test of the file is to blame for: of its import, of hooks. */
  | { readonly kind: 'ended'; readonly file: string; readonly errors: readonly string[] }
  /** An error of no file: a rejection that nobody handled, a worker that died. */
  | { readonly kind: 'unhandled'; readonly error: string };

export class TestReport implements Reporter {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  onInit(): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, '');
  }

  onTestModuleStart(module: TestModule): void {
    this.#write({ kind: 'began', file: fileOf(module) });
  }

  // Not by the test: what a failing hook kept from running is told with its file only.
  onTestModuleEnd(module: TestModule): void {
    const file = fileOf(module);
    for (const test of module.children.allTests()) this.#write(testLine(file, test));
    const suites: (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
    this.#write({ kind: 'ended', file, errors: suites.flatMap((suite) => suite.errors().map(textOf)) });
  }

  onTestRunEnd(_: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    for (const error of unhandledErrors) this.#write({ kind: 'unhandled', error: textOf(error) });
  }

  #write(line: ReportLine): void {
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

function fileOf({ project, relativeModuleId }: TestModule): string {
  return `${project.name} > ${relativeModuleId}`;
}

function testLine(file: string, test: TestCase): ReportLine {
  const { state, errors = [] } = test.result();
  return {
    kind: 'test',
    file,
    name: test.fullName,
    state: state === 'pending' ? 'skipped' : state,
    tries: 1 + (test.diagnostic()?.retryCount ?? 0),
    errors: errors.map(textOf),
  };
}

/** What it says, where it was, and how what came differs from what was expected. */
function textOf({ name = 'Error', message, stacks = [], diff }: SerializedError): string {
  const ours = stacks.filter(({ file }) => !file.includes('/node_modules/')).slice(0, framesMax);
  const at = ours.map(({ file, line, column }) => `at ${relative(process.cwd(), file)}:${line}:${column}`);
  const difference = typeof diff === 'string' ? [diff.trim()] : [];
  return stripVTControlCharacters([`${name}: ${message}`, ...at, ...difference].join('\n'));
}
