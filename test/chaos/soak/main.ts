/**
 * `npm run chaos`: one job on a cluster of real processes, and a fault every 2 to 5 seconds for as long as it runs (Linux).
 *
 *   npm run chaos -- [--minutes 2] [--items N] [--seed 1] [--out DIR]
 *
 * By default so many items that half an hour has 200,000. Equal seeds give equal faults, at equal times. Prints a report and
 * writes report.md, plot.svg and soak.json to DIR (.build/chaos). Exit code 1 when a promise was broken, 2 for a bad option,
 * 130 after Ctrl-C, which leaves nothing behind. Packets are dropped in network namespaces, which takes root, `ip` and
 * `iptables`; elsewhere a proxy holds bytes back.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { machineNow } from '../../bench/machine.ts';
import { findingsOf } from './findings.ts';
import { writeReport } from './report.ts';
import { itemsIn, Soak } from './soak.ts';

interface Flags {
  readonly minutes: number;
  readonly items: number;
  readonly seed: number;
  readonly out: string;
}

const [minutesMin, minutesMax] = [0.5, 1_440];

function flagsOf(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '2' },
      items: { type: 'string' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string', default: '.build/chaos' },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes >= minutesMin && minutes <= minutesMax))
    throw new Error(`--minutes ${values.minutes}: a number from ${minutesMin} to ${minutesMax}`);
  return {
    minutes,
    items: values.items === undefined ? itemsIn(minutes) : wholeNumber('--items', values.items),
    seed: wholeNumber('--seed', values.seed),
    out: resolve(values.out),
  };
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag} ${text}: a whole number from 1`);
  return value;
}

async function soak({ items, minutes, out, seed }: Flags): Promise<number> {
  const { commit, date, node } = machineNow({ processes: 0, runs: 1, small: false, loadBefore: 0 });
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('Interrupted.')));
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const soaked = await Soak.run({ items, minutes, seed, say, signal: interrupted.signal }).catch(
    (error: unknown) => {
      if (interrupted.signal.aborted) return undefined;
      throw error;
    },
  );
  if (soaked === undefined) return 130;
  const command = ['npm run chaos --', ...process.argv.slice(2)].join(' ');
  const cpus = availableParallelism();
  process.stdout.write(writeReport(out, soaked, { command, commit, date, node, cpus }));
  return findingsOf(soaked).every(({ isKept }) => isKept) ? 0 : 1;
}

let flags: Flags | undefined;
try {
  flags = flagsOf(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
if (flags !== undefined) process.exitCode = await soak(flags);
