/**
 * The line that says why a process ended, out of what it wrote to stderr: the error of an uncaught exception, a complaint of
 * Node about its arguments. Not the last line: below an exception that is the version of Node.
 */
export function tellingLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !isTrimmings(line));
  // Of an option that it does not know Node tells first; what it says of others after that is nobody's.
  const line =
    lines.find((each) => refusal.test(each)) ??
    lines.findLast((each) => telling.test(each)) ??
    lines.at(-1) ??
    '';
  return line.trim().slice(0, 300);
}

/** `node: bad option: --x`, `node: --x requires an argument`, `Error: illegal value for flag --x=y of type int`. */
const refusal =
  /^\S+: .*\b(?:bad option|requires an argument|is not allowed|invalid value|illegal value for flag)\b/;

/** `TypeError: x is not …`, `Error [ERR_X]: …`, `FATAL ERROR: …`. */
const telling = /^(?:Uncaught )?[\w$.]*(?:Error|Exception)(?: \[\w+\])?:|\bFATAL ERROR:/i;

/** Frames of a stack, fields of an error, marks under a source line, the version of Node. */
function isTrimmings(line: string): boolean {
  return /^Node\.js v\d|^\s+at |^\s*[}\])]|^\s*\^+\s*$|^\s+\w+: .*,?$/.test(line);
}
