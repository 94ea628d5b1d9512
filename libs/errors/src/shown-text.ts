/**
 * A text that came from elsewhere, as it can be shown: control characters, and those that turn the direction of a line,
 * are written as `\u001b`. A terminal would obey them. Line breaks and tabs stay.
 */
export const shownText = (text: string): string =>
  text.replace(/(?!\r?\n|\t)[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, escaped);

/** The same in quotes, on one line, and cut where it is long: a value that somebody gave. */
export function quotedText(text: string, charsMax: number = 100): string {
  const short = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  return shownText(JSON.stringify(short));
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
