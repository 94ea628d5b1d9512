interface Secret {
  readonly at: number;
  readonly text: string;
}

export const echo = (secret: Secret): Secret => secret;

/** Its own words; what it is thrown about is an item. */
export const throws = ({ at }: Secret): never => {
  throw new TypeError(`record ${at} is bad`);
};

export const dies = (): never => process.abort();

export const bloats = ({ text }: Secret): string => text.repeat(10_000);

export const returnsFunction =
  ({ text }: Secret): (() => string) =>
  (): string =>
    text;

export const hangs = (): Promise<never> => new Promise(() => setTimeout(() => {}, 60_000));
