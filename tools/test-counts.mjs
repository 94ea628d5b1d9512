// What came of every test, from the report that tools/test-report.ts wrote: node tools/test-counts.mjs REPORT EXIT_CODE
// Prints what failed, and why, in few lines, for often the end of a log is all there is to read; then, last of all,
// `N passed, N failed[, N skipped]`. Whatever made the run end badly counts as a failure, even when no test of its own
// can be blamed. A test that passed on its second try passed, but is named; too many of them fail the run.
// Plain JavaScript, for it also reports an install that left no newer Node behind.
import { existsSync, readFileSync } from 'node:fs';

const flakyMax = 5;
/** What is told of one failure at most, and of all of them together. */
const messageLinesMax = 15;
const linesMax = 60;
const columnsMax = 200;

const [reportFile = '', exitCode = '0'] = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const flaky = [];
const unfinished = new Set();
const failedFiles = new Set();

for (const line of linesOf(reportFile)) {
  if (line.kind === 'began') unfinished.add(line.file);
  else if (line.kind === 'test') {
    const about = { name: `${line.file} > ${line.name}`, error: line.errors.at(-1) ?? '' };
    counts[line.state]++;
    if (line.state === 'failed') {
      failures.push(about);
      failedFiles.add(line.file);
    } else if (line.state === 'passed' && line.tries > 1) flaky.push(about);
  } else if (line.kind === 'ended') {
    unfinished.delete(line.file);
    failures.push(...line.errors.map((error) => ({ name: line.file, error })));
    // A file that does not load has no tests to fail.
    if (line.errors.length > 0 && !failedFiles.has(line.file)) counts.failed++;
  } else failures.push({ name: 'an error outside of any test', error: line.error });
}
for (const file of unfinished) failures.push({ name: file, error: 'It had not ended when the run did.' });
if (flaky.length > flakyMax) {
  const error = `${flaky.length} tests passed only on their second try. More than ${flakyMax} are no accident.`;
  failures.push({ name: 'the run as a whole', error });
}
if (counts.failed === 0 && (exitCode !== '0' || counts.passed === 0 || failures.length > 0))
  counts.failed = 1;

tell('flaky, passed on the second try:', flaky, 3);
tell('failed:', failures, messageLinesMax);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 ? 1 : 0;

/** The lines of a report, of which the last may be torn. */
function linesOf(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
}

function tell(heading, them, most) {
  if (them.length === 0) return;
  const each = Math.max(1, Math.min(most, Math.floor(linesMax / them.length) - 1));
  console.log(heading);
  for (const { name, error } of them) {
    const lines = error.split('\n').filter((line) => line.trim() !== '');
    console.log(`  ${name.slice(0, columnsMax)}`);
    for (const line of lines.slice(0, each)) console.log(`    ${line.slice(0, columnsMax)}`);
  }
}
