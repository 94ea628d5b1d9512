/**
 * `Math.random` for processes that are copied. V8's is seeded at its first use in a context, and a copy could give that no
 * more than the 31 bits of `--random-seed`: of n copies n²/2³² pairs would draw alike for ever, two of a hundred thousand.
 * Ours is seeded anew in each copy with 128 bits of the kernel's: the pairs with the same seed are n²/2¹²⁹, and those with the
 * same first number, which has 53 bits, n²/2⁵⁴: one in two million runs of a hundred thousand copies.
 *
 * It is xoshiro128+ (Blackman and Vigna), which is made for the upper bits that numbers between 0 and 1 are made of, has a
 * period of 2¹²⁸ - 1, and needs no arithmetic of 64 bits. A draw takes 1.3 times as long as V8's.
 */
import { randomFillSync } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';

/** All zeros, at which it would stay, are drawn once in 2¹²⁸. */
const state: Int32Array = new Int32Array(4);

/** Its `random` is a method, for that is no constructor, as V8's is none. */
const generator: Pick<typeof Math, 'random'> = {
  random() {
    let s0 = state[0] ?? 0;
    let s1 = state[1] ?? 0;
    let s2 = state[2] ?? 0;
    let s3 = state[3] ?? 0;
    const high = (s0 + s3) >>> 5;
    let shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = (s3 << 11) | (s3 >>> 21);
    const low = (s0 + s3) >>> 6;
    shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    state[0] = s0;
    state[1] = s1;
    state[2] = s2;
    state[3] = (s3 << 11) | (s3 >>> 21);
    return (high * 2 ** 26 + low) / 2 ** 53;
  },
};
export const random: typeof Math.random = generator.random;

/** V8's, where somebody may have kept it, and nobody has put his own in its place before. */
let native: typeof Math.random | undefined;

/**
 * In the process that will be copied: ours takes the place of V8's. Whoever has put in his own wants to know what he draws.
 * `isKept`: somebody may have V8's from before this, and each copy gives it a seed, which costs a twentieth of what a copy costs.
 */
export function replaceRandom(isKept: boolean): void {
  randomFillSync(state);
  if (!/\[native code\]/.test(Function.prototype.toString.call(Math.random))) return;
  if (isKept) native = Math.random;
  // Frozen intrinsics stay as they are.
  Reflect.set(Math, 'random', random);
  // Compiled here, once.
  random();
}

/**
 * In each copy: it begins anew, from four words of 32 bits. So does V8's, for those who have kept it from before ours was
 * there, if nobody has drawn from it yet. Its seed is taken away again once it is used, for threads begin with their own.
 */
export function reseed(words: readonly number[]): void {
  for (let at = 0; at < state.length; at++) state[at] = words[at] ?? 0;
  if (native === undefined) return;
  setFlagsFromString(`--random-seed=${Math.max(1, (words[0] ?? 0) >>> 1)}`);
  native();
  setFlagsFromString('--random-seed=0');
}
