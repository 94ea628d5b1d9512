/** 3 kills its process, 4 never ends, 5 throws. */
export const picky = (x: number): number => {
  console.log(`looking at ${x}`);
  if (x === 3) process.kill(process.pid, 'SIGSEGV');
  while (x === 4);
  if (x === 5) throw new TypeError('not five');
  return x;
};
