// The functions that all peers run, plain JavaScript because not every peer loads TypeScript. `…All` is for those that
// are fastest when their user cuts chunks by hand.
import { hash as digest } from 'node:crypto';

const block = Buffer.alloc(65_536);
const nobodyWrites = new Int32Array(new SharedArrayBuffer(4));

/** The least work there is: what is measured is the way there and back. */
export const increment = (x) => x + 1;

/** A small record in, a changed one out. */
export const rescore = ({ id, name, score }) => ({ id, name, score: score + 1 });

/** Bytes there and back. */
export const echo = (text) => text;

/** The same with larger items. */
export const echoLarge = echo;

/** Computes for as long as `rounds` says; the harness has made that a millisecond. */
export const hash = ([seed, rounds]) => {
  block.fill(seed);
  let last = '';
  for (let round = 0; round < rounds; round += 1) {
    last = digest('sha256', block, 'hex');
    block.write(last, 'latin1');
  }
  return last;
};

/** Five milliseconds of the same. */
export const hashFive = ([seed, rounds]) => hash([seed, 5 * rounds]);

/** Waits for five milliseconds, as for a disk or another machine, and holds its process meanwhile. */
export const waitFive = (x) => {
  Atomics.wait(nobodyWrites, 0, 0, 5);
  return x + 1;
};

export const incrementAll = (xs) => xs.map(increment);
export const rescoreAll = (records) => records.map(rescore);
export const echoAll = (texts) => texts.map(echo);
export const hashAll = (items) => items.map(hash);

/** All of them by name. */
export const tasks = {
  increment,
  rescore,
  echo,
  echoLarge,
  hash,
  hashFive,
  waitFive,
  incrementAll,
  rescoreAll,
  echoAll,
  hashAll,
};
