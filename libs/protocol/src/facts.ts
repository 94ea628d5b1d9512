import type { Fact, Facts } from '@shoal/errors';

/** Trailers of a call share 8 KiB with everything else in many proxies; a longer fact is cut. */
const factCharsMax = 1000;

/** Facts as text by name, as they travel. What is undefined is left out; a very long text is cut. */
export function writeFacts(facts: Facts): Record<string, string> {
  const written: [string, string][] = [];
  for (const [name, fact] of Object.entries(facts)) {
    if (fact === undefined) continue;
    const text = String(fact);
    written.push([name, text.length > factCharsMax ? `${text.slice(0, factCharsMax - 1)}…` : text]);
  }
  // Not by assignment: a fact called `__proto__` would be lost.
  return Object.fromEntries(written);
}

/**
 * Facts from their text. What reads as a number or a boolean and writes back to the very same text becomes one, so a
 * message made of them reads as before, whatever they were.
 */
export function readFacts(written: Readonly<Record<string, string>>): Record<string, Fact> {
  return Object.fromEntries(Object.entries(written).map(([name, text]) => [name, readFact(text)]));
}

function readFact(text: string): Fact {
  if (text === 'true') return true;
  if (text === 'false') return false;
  const number = Number(text);
  return String(number) === text ? number : text;
}
