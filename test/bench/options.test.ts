import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Every script that docs name, with what it is given and what it says to that. */
const refusals: readonly (readonly [script: string, args: readonly string[], reason: string])[] = [
  ['above-limits', ['--rounds', '0'], '--rounds 0: a whole number from 1'],
  ['broadcast', ['--items', '1.5'], '--items 1.5: a whole number from 1'],
  ['flat-memory', ['--items', '1'], '--items 1: a whole number from 20'],
  ['hops', ['--only', 'single,x'], '--only single,x: there is single, increment, '],
  ['hops-beside', ['/nope'], '/nope: there is no such folder'],
  ['hops-beside', [], 'One folder is needed: a clone of another version'],
  ['limits', ['--scale', 'abc'], '--scale abc: a number above 0'],
  ['one-thread', ['--runs', '0'], '--runs 0: a whole number from 1'],
  ['profile-shares', [], 'One folder is needed: of .cpuprofile files'],
  ['recycles', ['--samples', ''], '--samples : a whole number from 1'],
  ['recycling', ['--seconds', '0'], '--seconds 0: a number above 0'],
  ['recycling', ['--start-children', 'x'], '--start-children x: there is spawn, fork'],
  ['scheduler', ['--sizes', '9'], '--sizes 9: a whole number from 1 to 8'],
  ['startup', ['--repeats', '0'], '--repeats 0: a whole number from 1'],
  ['stopped-client', ['--stopped-s', '-1'], "Option '--stopped-s' argument is ambiguous"],
  ['trace-cost', ['--round', '5'], "Unknown option '--round'"],
];

test.each(refusals)('%s %j is refused before anything starts', (script, args, reason) => {
  const file = fileURLToPath(new URL(`${script}.ts`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
  expect({ status, stdout, says: stderr.includes(reason) }, stderr).toEqual({
    status: 2,
    stdout: '',
    says: true,
  });
});
