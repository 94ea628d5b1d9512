export const increment: (x: number) => number;
export const echo: (text: string) => string;
export const echoLarge: (text: string) => string;
/** All of them by name. */
export const tasks: Readonly<
  Record<
    'increment' | 'rescore' | 'echo' | 'echoLarge' | 'hash' | 'hashFive' | 'waitFive',
    (item: never) => unknown
  >
>;
export const hash: (item: readonly [seed: number, rounds: number]) => string;
