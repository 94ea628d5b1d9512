/**
 * A value of an enumeration of the protocol as the command line writes it: `DRAINING` is `draining`, `FAILED_FAST` is `failed_fast`. One that a newer coordinator knows is its number.
 */
export function enumWord(names: Readonly<Record<string, string | number>>, value: number): string {
  const name = Object.keys(names).find((key) => names[key] === value);
  return name?.toLowerCase() ?? `state ${value}`;
}
