/**
 * The simulation as a command.
 *
 *   npm run sim -- --seeds 1000               plays seeds 1 to 1000, those that failed once before all others
 *   npm run sim -- --seed 281                 plays one, and tells its story if it fails
 *   npm run sim -- --faults 5000000           plays stormy worlds until so much has gone wrong
 *   npm run sim -- --agents 5000              plays one big cluster
 *   npm run sim -- --bug NAME                 plays over cores with a bug in them, until it is caught
 *   npm run sim -- --bugs                     every planted bug: is it caught by its seed, and does the sound core pass?
 */
import { readFileSync } from 'node:fs';
import { type Flags, readFlags } from './flags.ts';
import type { Wishes } from './generate.ts';
import { plantedBugs } from './planted-bugs.ts';
import { Planter } from './planting.ts';
import { explained, playSeed } from './player.ts';
import { commit, Report } from './report.ts';
import type { Violation } from './violation.ts';

const flags = typed();

/** Seeds to try before a bug counts as missed. */
const seedsPerBug = 2_000;

/** As it was when the cores were loaded: a long run outlives commits. */
const played = commit();

const wishes: Wishes = {
  ...(flags.agents === undefined ? {} : { agents: flags.agents }),
  isStormy: flags.storm || flags.faults !== undefined,
};

if (flags.bugs) await checkBugs();
else if (flags.bug !== undefined) await hunt(flags.bug);
else play();

/** Plays seed after seed; the exit code tells whether every promise was kept. */
function play(): void {
  const report = new Report();
  const first = flags.seed ?? 1;
  const faultsMin = flags.faults;
  const count = flags.seeds ?? (faultsMin === undefined ? 1 : Infinity);
  const failedOnce = flags.seed === undefined && faultsMin === undefined ? seedsThatFailed() : [];
  let toldAtMs = performance.now();
  const one = (seed: number, wished: Wishes): void => {
    const world = playSeed(seed, wished);
    report.add(world);
    if (world.violation !== undefined) explain(seed, wished, explained);
    if (flags.quiet || performance.now() - toldAtMs < 10_000) return;
    toldAtMs = performance.now();
    console.error(`${report.worlds} worlds, ${report.faults} faults, ${report.broken.length} broken`);
  };
  for (const { isStormy, seed } of failedOnce) one(seed, { isStormy });
  for (let seed = first; seed < first + count && report.faults < (faultsMin ?? Infinity); seed += 1) {
    one(seed, wishes);
    if (report.broken.length >= 5) break;
  }
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  const command = process.argv.slice(2).join(' ');
  console.log(`npm run sim -- ${command}\ncommit ${played}, Node ${process.version}\n`);
  console.log(report.text(cpuSeconds));
  if (count === 1 && report.worlds === 1) console.log(`hash ${playSeed(first, wishes).hash}`);
  process.exitCode = report.broken.length === 0 ? 0 : 1;
}

function explain(seed: number, wished: Wishes, story: typeof explained, bug?: string): void {
  const storm = wished.isStormy === true ? ' --storm' : '';
  const agents = wished.agents === undefined ? '' : ` --agents ${wished.agents}`;
  const command = `npm run sim -- --seed ${seed}${storm}${agents}${bug === undefined ? '' : ` --bug ${bug}`}`;
  console.log(`FAILED seed ${seed} at commit ${played}; again: ${command}`);
  console.log(story(seed, wished, flags.lines));
}

/** Looks for the first seed that shows a planted bug. */
async function hunt(name: string): Promise<void> {
  const bug = plantedBugs.find((each) => each.name === name);
  if (bug === undefined) {
    console.error(`There is no bug ${name}. There are: ${plantedBugs.map((each) => each.name).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  await using planter = new Planter();
  const player = await planter.playerWith(bug);
  const first = flags.seed ?? 1;
  const count = flags.seed === undefined ? seedsPerBug : 1;
  for (let seed = first; seed < first + count; seed += 1) {
    if (player.playSeed(seed, wishes).violation === undefined) continue;
    explain(seed, wishes, player.explained, name);
    return;
  }
  console.log(`bug ${name} was not caught by ${count} seeds: ${bug.breaks}`);
  process.exitCode = 1;
}

/** One line for each bug, in the form that the tests read. */
async function checkBugs(): Promise<void> {
  await using planter = new Planter();
  for (const bug of plantedBugs) {
    const player = await planter.playerWith(bug);
    const { breaksFirst, isStormy = false } = bug;
    /** What the bug breaks with a seed, if that is what it is to break. */
    const violationWith = (seed: number): Violation | undefined => {
      const { violation } = player.playSeed(seed, { isStormy });
      return breaksFirst === undefined || violation?.guarantee === breaksFirst ? violation : undefined;
    };
    let caught = bug.seed > 0 ? violationWith(bug.seed) : undefined;
    let seed = bug.seed;
    for (let other = 1; caught === undefined && other <= seedsPerBug; other += 1) {
      caught = violationWith(other);
      seed = other;
    }
    const sound = playSeed(seed, { isStormy }).violation;
    const line = {
      bug: bug.name,
      seed,
      caughtBy: caught?.guarantee,
      says: caught?.message,
      soundCore: sound === undefined ? 'passes' : `breaks ${sound.guarantee}`,
    };
    console.log(JSON.stringify(line));
    if (caught === undefined || sound !== undefined) process.exitCode = 1;
  }
}

function seedsThatFailed(): { readonly seed: number; readonly isStormy: boolean }[] {
  const text = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8');
  return [...text.matchAll(/^(\d+)( storm)?\b/gm)].map(([, seed, storm]) => ({
    seed: Number(seed),
    isStormy: storm !== undefined,
  }));
}

/** What was typed; a word that means nothing here ends the command. */
function typed(): Flags {
  try {
    return readFlags(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}
