/**
 * `npm run hostile -- --frames 1000000 --silent 10000 --seed 1`: what the tests try in small, in full.
 *
 * Prints what the coordinator has in memory while mutated frames come in, and what silent connections cost those who
 * work. Exits with 1 if it has died, grown, or lost more than a twentieth of its throughput.
 */
import { parseArgs } from 'node:util';
import { Random } from '../simulation/random.ts';
import { FrameAttack } from './frame-attack.ts';
import { silenceCosts } from './silence.ts';
import { Victim } from './victim.ts';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '1000000' },
    silent: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const [frames, silent, seed] = [Number(values.frames), Number(values.silent), Number(values.seed)];
const rounds = 10;
const growthMiBMax = 64;
const lostMax = 0.05;

let failed = false;
const judge = (holds: boolean, text: string): void => {
  console.log(`${holds ? 'ok' : 'FAILED'}: ${text}`);
  failed ||= !holds;
};

if (frames > 0) {
  await using victim = await Victim.start(['--max-jobs', '200']);
  const attack = new FrameAttack(victim.address, new Random(seed));
  const rss: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await attack.run((frames * round) / rounds);
    if (!victim.coordinator.alive) break;
    rss.push(victim.rssMiB());
    console.log(`${attack.sent.toLocaleString('en-US')} frames: ${rss.at(-1)?.toFixed(0)} MiB`);
  }
  judge(victim.coordinator.alive, `it lives${victim.coordinator.alive ? '' : victim.coordinator.story()}`);
  // The first rounds warm it up.
  const growth = (rss.at(-1) ?? 0) - Math.max(...rss.slice(0, 4));
  judge(
    growth <= growthMiBMax,
    `it grew by ${growth.toFixed(0)} MiB after ${(frames * 0.4).toLocaleString('en-US')} frames`,
  );
  judge(victim.coordinator.alive && (await victim.works()), 'it works');
}
if (silent > 0) {
  const { lost, held } = await silenceCosts(silent);
  judge(held >= silent, `${held.toLocaleString('en-US')} silent connections were held`);
  judge(lost <= lostMax, `they cost ${(lost * 100).toFixed(1)} % of the throughput`);
}
process.exitCode = failed ? 1 : 0;
