/**
 * The line that says why a process ended, out of what it wrote to stderr: the error of an uncaught exception, a complaint of
 * Node about its arguments. Not the last line: below an exception that is the version of Node.
 */
export function tellingLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !isTrimmings(line));
  const line = lines.findLast((each) => telling.test(each)) ?? lines.at(-1) ?? '';
  return line.trim().slice(0, 300);
}

/** `TypeError: x is not …`, `Error [ERR_X]: …`, `node: bad option: --x`, `FATAL ERROR: …`, `node: --x requires an argument`. */
const telling =
  /^(?:Uncaught )?[\w$.]*(?:Error|Exception)(?: \[\w+\])?:|\bFATAL ERROR:|\b(?:bad option|requires an argument|is not allowed|invalid value)\b/i;

/** Frames of a stack, fields of an error, marks under a source line, the version of Node. */
function isTrimmings(line: string): boolean {
  return /^Node\.js v\d|^\s+at |^\s*[}\])]|^\s*\^+\s*$|^\s+\w+: .*,?$/.test(line);
}
