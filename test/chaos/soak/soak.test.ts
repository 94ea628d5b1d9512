/** Two minutes of what `npm run chaos -- --minutes 30` does for half an hour. */
import { expect, test } from 'vitest';
import { machineNow } from '../../bench/machine.ts';
import { Network } from '../network.ts';
import { findingsOf } from './findings.ts';
import { writeReport } from './report.ts';
import { itemsIn, Soak } from './soak.ts';

const missing = await Network.missing();
if (missing !== undefined && process.env['REQUIRE_NETNS'] === '1') throw new Error(`There is no ${missing}.`);

const minutes = 2;
/** The job may be late, and so may everybody who is to come back. */
const withinMs = 10 * 60_000;

test('two minutes of faults: every outcome is there, in order and right, nothing grows and nothing is left', {
  timeout: withinMs,
}, async () => {
  const soaked = await Soak.run({ seed: 1, minutes, items: itemsIn(minutes), say: console.log });
  const { commit, cpus, date, node } = machineNow({ processes: 0, runs: 1, small: true, loadBefore: 0 });
  const command = `npm run chaos -- --minutes ${minutes}`;
  console.log(writeReport('.build/chaos', soaked, { command, commit, cpus, date, node }));
  expect(findingsOf(soaked).filter(({ isKept }) => !isKept)).toEqual([]);
});
