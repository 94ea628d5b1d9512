/**
 * `npm run hostile -- --frames 1000000 --silent 10000 --seed 1`: what the tests try in small, in full.
 *
 * Prints what the coordinator has in memory while mutated frames come in, and what silent connections cost those who
 * work. Exits with 1 if it has died, grown, or lost more than a twentieth of its throughput. About five minutes.
 *
 * Two things may not grow: what is alive, which shows the smallest leak, and what is resident. The latter does so for a
 * while in any process, as it touches room that V8 and the allocator have and that nothing was in before.
 */
import { parseArgs } from 'node:util';
import { load, machineNow } from '../bench/machine.ts';
import { Random } from '../simulation/random.ts';
import { FrameAttack } from './frame-attack.ts';
import { checkOpenFiles } from './open-files.ts';
import { isBorderline, type Median, silenceCosts } from './silence.ts';
import { type Memory, Victim } from './victim.ts';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '1000000' },
    silent: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const [frames, silent, seed] = [Number(values.frames), Number(values.silent), Number(values.seed)];
const rounds = 10;
/** The first rounds warm it up. */
const warmRounds = 4;
/** Of what is alive: 14 bytes a frame over a million of them. */
const aliveGrowthMax = 8;
const rssGrowthMax = 64;
const lostMax = 0.05;

let failed = false;
const judge = (holds: boolean, text: string): void => {
  console.log(`${holds ? 'ok' : 'FAILED'}: ${text}`);
  failed ||= !holds;
};

/** By so many MiB the last reading is above the highest of the first ones. */
const growthOf = (readings: readonly Memory[], kind: keyof Memory): number => {
  const values = readings.map((memory) => memory[kind]);
  return (values.at(-1) ?? 0) - Math.max(...values.slice(0, warmRounds));
};

const numbered = (value: number): string => value.toLocaleString('en-US');

// Before anything is started.
checkOpenFiles(silent);
const { cpu, cpus, node, commit, loadBefore } = machineNow({
  ...{ processes: 1, runs: 1, small: false },
  loadBefore: load(),
});
console.log(
  `${cpu}, ${cpus} usable CPUs, Node v${node}, commit ${commit}, load ${loadBefore} before the run.\n`,
);

if (frames > 0) {
  await using victim = await Victim.start(['--max-jobs', '200']);
  const attack = new FrameAttack(victim.address, new Random(seed));
  const readings: Memory[] = [];
  console.log(
    "|    frames | resident MiB | V8's heap | alive |\n|      ---: |         ---: |      ---: |  ---: |",
  );
  for (let round = 1; round <= rounds; round++) {
    await attack.run((frames * round) / rounds);
    if (!victim.coordinator.alive) break;
    const memory = await victim.memory();
    readings.push(memory);
    const { rss, heap, alive } = memory;
    const cells = [
      numbered(attack.sent).padStart(9),
      rss.toFixed(0).padStart(12),
      heap.toFixed(0).padStart(9),
      alive.toFixed(1).padStart(5),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  console.log('');
  judge(victim.coordinator.alive, `it lives${victim.coordinator.alive ? '' : victim.coordinator.story()}`);
  const since = `since the first ${numbered((frames * warmRounds) / rounds)} frames`;
  const [alive, rss] = [growthOf(readings, 'alive'), growthOf(readings, 'rss')];
  judge(alive <= aliveGrowthMax, `${alive.toFixed(1)} MiB more are alive ${since}`);
  judge(rss <= rssGrowthMax, `${rss.toFixed(0)} MiB more are resident ${since}`);
  judge(victim.coordinator.alive && (await victim.works()), 'it works');
}
if (silent > 0) {
  const { cpuLost, cpuUs, held, lost, pairs } = await silenceCosts(silent, lostMax);
  const percent = (part: number): string => (part * 100).toFixed(1);
  const shown = ({ least, most, value }: Median): string =>
    `${percent(value)} % (at 95 %: ${percent(least)} to ${percent(most)})`;
  /** A machine that others use makes any figure; what it cannot tell is said, and is no success. */
  const told = (seen: Median): string =>
    isBorderline(seen, lostMax) ? ', which does not tell: try a quieter machine' : '';
  judge(held >= silent, `${numbered(held)} silent connections were held`);
  judge(
    lost.most <= lostMax,
    `they cost ${shown(lost)} of the throughput, the median of ${pairs} pairs of runs${told(lost)}`,
  );
  const [without = 0, withThem = 0] = cpuUs;
  judge(
    cpuLost.most <= lostMax,
    `the coordinator spends ${withThem.toFixed(1)} µs of CPU time on an item, ${without.toFixed(1)} without them: ${shown(cpuLost)} more${told(cpuLost)}`,
  );
}
process.exitCode = failed ? 1 : 0;
