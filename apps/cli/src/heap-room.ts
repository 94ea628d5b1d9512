import { setFlagsFromString } from 'node:v8';

/** The heap may grow by this much of what was alive, in percent, before V8 collects all of it. V8 by itself: 30 to 100. */
const growingPercent = 150;

/**
 * What young buffers may hold before V8 collects what is young: V8 reckons with four times this, in MiB. V8 by itself: 32.
 */
const youngMiB = 4;

/** Where the second of these flags is known to be; another V8 would complain of it to whoever started the process. */
const knownV8 = '13.';

/**
 * Gives V8 other bounds for garbage: for processes that pass bytes on, a coordinator, an agent.
 *
 * V8 counts buffers that came and went since the last full collection against a limit that is a fraction of the live
 * heap, which is small here: 10 KiB items had a coordinator mark its whole heap every 200 of them, and that was
 * half of its time. With more room it marks less often. Buffers that are alive do not count.
 *
 * Most of these buffers die young, where a collection is cheap; but V8 lets so many of them lie there that they fill the
 * room, grow old and have the whole heap marked after all. Collected sooner, they do neither: a stream of numbers takes
 * a coordinator 60 MiB less, and 10 KiB items a tenth less of its time.
 */
export function giveHeapRoom(): void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
  if (process.versions.v8.startsWith(knownV8)) {
    setFlagsFromString(`--scavenger-max-new-space-capacity-mb=${youngMiB}`);
  }
}
