// How long an import takes in a process that has loaded nothing: `node import-cost.ts SPECIFIER SETTING`.
import { createHash } from 'node:crypto';

const [specifier = ''] = process.argv.slice(2);
const startedAt = performance.now();
await import(specifier);
const value = performance.now() - startedAt;
// Nothing was mapped: the fingerprint of no results at all.
process.stdout.write(`${JSON.stringify({ value, digest: createHash('sha256').digest('hex') })}\n`);
process.exit();
