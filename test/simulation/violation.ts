/** The guarantees of the delivery contract that the oracle watches, and the invariants that the cores state themselves. */
export type Guarantee =
  | 'G1'
  | 'G2'
  | 'G3'
  | 'G4'
  | 'G5'
  | 'G6'
  | 'G7'
  | 'G8'
  | 'G9'
  | 'G10'
  | 'G12'
  | 'G13'
  | 'G15'
  | 'G16'
  | 'G17'
  | 'G19'
  | 'G20'
  | 'G21'
  | 'G25'
  | 'G26'
  | 'G27'
  | 'G28'
  | 'G29'
  | 'G30'
  | 'structure';

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
