import { setTimeout as delay } from 'node:timers/promises';
import { type BearerToken, parseBearerTokens, readTokenFile } from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import type { LimitName } from '@shoal/protocol';
import type { EventFeed } from '../watch/event-feed.ts';
import { RepeatedCheck } from './repeated-check.ts';

/** How long a file has to be without a token to be believed. */
const emptyMs = 200;

/** What {@link TokenFile.open} needs. */
export interface TokenFileParts {
  readonly path: string;
  /** How often the file is looked at. */
  readonly checkMs: number;
  /** How long it may be. */
  readonly maxBytes: number;
  readonly feed: EventFeed;
  readonly onLimit: (limit: LimitName) => void;
}

/**
 * The tokens that open a coordinator, as their file holds them now: one that is taken out of it opens nothing any more.
 *
 * A file that cannot be used changes nothing, and that is told once: it may be half written, or have lost its mode. One that
 * can be read and holds no token lets nobody in.
 */
export class TokenFile {
  readonly #parts: TokenFileParts;
  #text: string;
  #tokens: readonly BearerToken[];
  #onReplaced: (tokens: readonly BearerToken[]) => number = () => 0;
  readonly #check: RepeatedCheck;

  private constructor(parts: TokenFileParts, text: string) {
    this.#parts = parts;
    this.#text = text;
    this.#tokens = bearerTokens(text, parts.path);
    this.#check = new RepeatedCheck({
      everyMs: parts.checkMs,
      look: () => this.#look(),
      onLimit: parts.onLimit,
      complain: (reason) => {
        const message = `the token file cannot be used, the earlier tokens stay: ${reason}`;
        parts.feed.tell('tokens.refused', { reason }, message, 'warn');
      },
    });
  }

  /** Reads the file. Errors: `FILE_NOT_USABLE` for one that others can read, or that holds no token. */
  static async open(parts: TokenFileParts): Promise<TokenFile> {
    return new TokenFile(parts, await read(parts));
  }

  get tokens(): readonly BearerToken[] {
    return this.#tokens;
  }

  /** Hears of tokens that are others than before; returns how many calls that ended. */
  watch(onReplaced: (tokens: readonly BearerToken[]) => number): void {
    this.#onReplaced = onReplaced;
  }

  /** Why the file cannot be used; undefined where it can. */
  get trouble(): string | undefined {
    return this.#check.trouble;
  }

  /** Looks at the file no more. */
  stop(): void {
    this.#check.stop();
  }

  async #look(): Promise<void> {
    const text = await this.#readTwice();
    if (text !== this.#text) this.#replace(text);
  }

  /** One without a token takes back all that there were. Whoever writes a file anew may empty it first. */
  async #readTwice(): Promise<string> {
    const { path } = this.#parts;
    const text = await read(this.#parts);
    if (text === this.#text || tokensIn(text, path).length > 0) return text;
    await delay(emptyMs);
    return read(this.#parts);
  }

  #replace(text: string): void {
    const { feed, path } = this.#parts;
    this.#tokens = tokensIn(text, path);
    this.#text = text;
    const ended = this.#onReplaced(this.#tokens);
    const tokens = this.#tokens.length;
    feed.tell(
      'tokens.replaced',
      { tokens, ended },
      `${path} was read anew: it has ${tokens} ${tokens === 1 ? 'token' : 'tokens'}, and ended ${ended} open calls`,
    );
  }
}

const read = ({ path, maxBytes }: TokenFileParts): Promise<string> =>
  readTokenFile(path, { bytes: maxBytes, option: 'shoal coordinator --max-token-file-bytes' });

/** The tokens in a text, at least one. Throws `FILE_NOT_USABLE`, which names the line, and nothing of what stands there. */
export function bearerTokens(text: string, path: string = 'token file'): readonly BearerToken[] {
  const tokens = tokensIn(text, path);
  if (tokens.length > 0) return tokens;
  throw new ShoalError('FILE_NOT_USABLE', { path, reason: 'there is no token in it' });
}

function tokensIn(text: string, path: string): readonly BearerToken[] {
  try {
    return parseBearerTokens(text);
  } catch (error) {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason: (error as Error).message });
  }
}
