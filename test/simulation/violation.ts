/**
 * What the oracle watches: guarantees of the delivery contract by their numbers, that more urgent jobs go first, and the
 * invariants that the cores state themselves. What is watched of each is told in the table of `oracle/README.md`.
 */
export const guarantees = [
  'G1',
  'G2',
  'G3',
  'G4',
  'G5',
  'G6',
  'G7',
  'G8',
  'G9',
  'G10',
  'G11',
  'G12',
  'G13',
  'G15',
  'G16',
  'G17',
  'G18',
  'G19',
  'G20',
  'G21',
  'G25',
  'G26',
  'G27',
  'G28',
  'G29',
  'G30',
  'priority',
  'structure',
] as const;

export type Guarantee = (typeof guarantees)[number];

/** A broken promise. */
export class Violation extends Error {
  readonly guarantee: Guarantee;
  /** What a reader of the story wants to follow. */
  readonly about: {
    readonly job?: string;
    readonly index?: number;
    readonly attempt?: number;
    readonly agent?: string;
  };

  constructor(guarantee: Guarantee, text: string, about: Violation['about']) {
    super(text);
    this.name = 'Violation';
    this.guarantee = guarantee;
    this.about = about;
  }
}

/** Throws where a promise is broken. The text is made only then. */
export function must(
  holds: boolean,
  guarantee: Guarantee,
  text: () => string,
  about: Violation['about'] = {},
): void {
  if (!holds) throw new Violation(guarantee, text(), about);
}

/** Asks a core whether it is sound: where it says itself that it is broken, that is a broken promise too. */
export function sound(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new Violation('structure', error instanceof Error ? error.message : String(error), {});
  }
}
