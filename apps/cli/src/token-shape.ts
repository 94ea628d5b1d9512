const joinToken = /^shoal-join\.[\w-]{43}\.[\w-]{43}$/;
const secret = /^[\w-]{43,128}$/;
/** What chance makes has all of them; a long name that somebody chose hardly ever has. */
const kinds: readonly RegExp[] = [/[a-z]/, /[A-Z]/, /[0-9]/];
/** What a token can consist of, and nothing beside it. */
const word = /[\w.-]+/g;

function isToken(text: string): boolean {
  return joinToken.test(text) || (secret.test(text) && kinds.every((kind) => kind.test(text)));
}

/**
 * Whether what was typed is a token, as `shoal token` makes them, or a line of a token file, with the role before it. Here, for
 * it is asked before anything is loaded.
 */
export function hasToken(text: string): boolean {
  return text.trim().split(/\s+/).some(isToken);
}

/** A text with what was typed in it, and without the tokens among that. */
export function withoutTokens(text: string): string {
  return text.replace(word, (each) => (isToken(each) ? '(a token)' : each));
}
