import { looksLikeToken, parseBearerTokens, parseJoinToken, readTokenFile } from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import type { TokenSource } from '../security-flags.ts';
import type { Finding } from './finding.ts';

/** Whether the token that was named, by a flag or the environment, can be used; nothing where none was. It is not shown. */
export async function tokenFindings(find: () => Promise<TokenSource | undefined>): Promise<Finding[]> {
  const source = await find();
  if (source === undefined) return [];
  const what = 'file' in source ? source.file : 'SHOAL_TOKEN';
  try {
    const text = 'file' in source ? await readTokenFile(source.file) : source.text;
    return [{ what, state: 'ok', says: kindOf(text) }];
  } catch (error) {
    const { message } = error as Error;
    const says = error instanceof ShoalError ? String(error.facts['reason']) : message;
    return [{ what, state: 'broken', says }];
  }
}

/** Throws where there is no token in it. */
function kindOf(text: string): string {
  if (parseJoinToken(text) !== undefined) return 'a token to join with';
  const tokens = parseBearerTokens(text);
  if (tokens.length === 0 || !tokens.every(({ secret }) => looksLikeToken(secret)))
    throw new Error('there is no token in it');
  return tokens.length === 1 ? 'a token' : `${tokens.length} tokens; a client shows the first one`;
}
