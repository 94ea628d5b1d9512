/** An immutable record: nobody can change a field, neither here nor in another process. */
export interface Scientist {
  readonly name: string;
  readonly field: 'math' | 'physics' | 'chemistry' | 'astronomy' | 'medicine';
  readonly born: number;
  readonly nobel: boolean;
}

/** Seven immutable records in an immutable list. */
export const scientists: readonly Scientist[] = Object.freeze(
  (
    [
      { name: 'Ada Lovelace', field: 'math', born: 1815, nobel: false },
      { name: 'Emmy Noether', field: 'math', born: 1882, nobel: false },
      { name: 'Marie Curie', field: 'physics', born: 1867, nobel: true },
      { name: 'Tu Youyou', field: 'medicine', born: 1930, nobel: true },
      { name: 'Ada Yonath', field: 'chemistry', born: 1939, nobel: true },
      { name: 'Vera Rubin', field: 'astronomy', born: 1928, nobel: false },
      { name: 'Sally Ride', field: 'physics', born: 1951, nobel: false },
    ] as const
  ).map((scientist) => Object.freeze(scientist)),
);
