import { hash } from './tasks.js';

const probeRounds = 200;

/** How many rounds of `hash` take a millisecond on this machine: the fastest of several tries. */
export function roundsAMillisecond(): number {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let time = 0; time < 10; time += 1) {
    const startedAt = performance.now();
    hash([time, probeRounds]);
    bestMs = Math.min(bestMs, performance.now() - startedAt);
  }
  return Math.max(1, Math.round(probeRounds / bestMs));
}
