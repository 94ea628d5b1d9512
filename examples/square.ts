/** The smallest task function: `seq 1 10 | shoal map examples/square.ts#square`. */
export const square = (x: number): number => x * x;
