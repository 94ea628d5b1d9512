/** What a copy of a process has otherwise than a process of its own: what another server is needed for, or none will do. */
import { Buffer } from 'node:buffer';
import { openSync, readSync } from 'node:fs';
import { nodeOptions } from './node-options.ts';

/** What of ours a spawned child has as it is now, and a copy as it was for its server: where it changes, another server serves. */
export function surroundings(): string {
  status ??= openSync('/proc/self/status', 'r');
  // It stands in the second line.
  const text = statusHead.toString('latin1', 0, readSync(status, statusHead, 0, statusHead.length, 0));
  return `${/^Umask:\s*(\d+)/m.exec(text)?.[1]} ${cwd()}`;
}

/** Stays open: it is read again for each child. */
let status: number | undefined;
const statusHead = Buffer.alloc(128);

/** Nothing where the folder is gone. */
function cwd(): string {
  try {
    return process.cwd();
  } catch {
    return '';
  }
}

/** What asks for something of Node that a copy does not do, as a part of a sentence. */
export function hindrance(
  env: Readonly<Record<string, string>>,
  execArgv: readonly string[],
): string | undefined {
  const options = nodeOptions(execArgv, env);
  if (/(^|\s)--random-seed\b/.test(options)) return 'copies draw by chance, whatever --random-seed says';
  const unheard = unheardOptions.exec(options)?.[2];
  if (unheard !== undefined) return `copies do not do what ${unheard} asks for`;
  if ((env['NODE_V8_COVERAGE'] ?? '') !== '') return 'coverage (NODE_V8_COVERAGE) is not written by copies';
  return undefined;
}

/** What Node begins at its start and ends at its end, or does in other threads: a copy has neither. */
const unheardOptions =
  /(^|\s)(--(?:heap-prof|cpu-prof|prof|perf-basic-prof|perf-prof|trace-exit|trace-events-enabled|trace-event-categories|inspect|inspect-brk|inspect-wait|heapsnapshot-signal|heapsnapshot-near-heap-limit|report-on-signal|report-uncaught-exception|logfile|log))(?=[=\s]|$)/;
