// Prints `N passed, N failed[, N skipped]` from vitest's JSON report: node tools/test-counts.mjs REPORT EXIT_CODE
// Whatever made the run end badly counts as a failure, even when no test of its own can be blamed.
// Plain JavaScript, for it also reports an install that left no newer Node behind.
import { existsSync, readFileSync } from 'node:fs';

const [reportFile = '', exitCode = '0'] = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };

if (existsSync(reportFile)) {
  const { testResults } = JSON.parse(readFileSync(reportFile, 'utf8'));
  for (const file of testResults) {
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed++;
      else if (status === 'failed') counts.failed++;
      else counts.skipped++;
    }
    // A file that does not load has no tests to fail.
    if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'))
      counts.failed++;
  }
}
if (counts.failed === 0 && (exitCode !== '0' || counts.passed === 0)) counts.failed = 1;

const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 ? 1 : 0;
