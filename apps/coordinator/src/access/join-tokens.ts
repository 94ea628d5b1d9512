import { ShoalError } from '@shoal/errors';

/** What a token to join with grants: a certificate for an agent. */
export interface JoinGrant {
  /** Undefined: the name that its bearer asks for. */
  readonly name: string | undefined;
}

/** Who shows a token, as far as it matters where it was shown before. */
export interface Asked {
  /** The digest of the key that a certificate is wanted for. */
  readonly key: string;
  /** The name that is asked for; empty: that of the token. */
  readonly name: string;
}

/** What a token was exchanged for. */
export interface Exchange {
  readonly key: string;
  readonly name: string;
  readonly certificateChain: string;
}

/** What comes of a token that is shown. */
export interface TakenToken {
  readonly grant: JoinGrant;
  /** It was exchanged before, by the same bearer: for this. */
  readonly exchange?: Exchange;
}

/** What is told of a token that can be used. */
export interface ListedToken extends JoinGrant {
  /** What people call it. */
  readonly id: string;
  readonly expiresAtMs: number;
}

interface OpenToken {
  readonly id: string;
  readonly grant: JoinGrant;
  readonly expiresAtMs: number;
  /** `taken`: its exchange is under way. */
  state: 'open' | 'taken' | 'used' | 'revoked';
  /** Of one that is used: for what. */
  exchange?: Exchange;
}

/** A token that has expired or was used is remembered for so long, so that its bearer is told which of the two. */
const memoryMs = 3_600_000;

/**
 * The tokens that can be exchanged for a certificate, each once. Pure: the time comes with each call, and what is
 * kept of a token is its digest.
 */
export class JoinTokens {
  readonly #byDigest = new Map<string, OpenToken>();
  readonly #most: number;

  /** Keeps so many at most. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * A new token, known by `id` from then on and good for `ttlMs`. One that nobody can use any more makes room for it, the oldest
   * first. Throws `LIMIT_REACHED` where as many as may be kept can all be used.
   */
  add(digest: string, id: string, grant: JoinGrant, ttlMs: number, atMs: number): void {
    this.#forget(atMs);
    if (this.#byDigest.size >= this.#most) this.#makeRoom(atMs);
    if (this.#byDigest.size >= this.#most) {
      throw new ShoalError('LIMIT_REACHED', {
        limitName: 'joinTokens',
        what: 'Tokens to join with',
        value: this.#byDigest.size + 1,
        limit: this.#most,
        option:
          'shoal coordinator --max-join-tokens; shoal token ls shows them, shoal token revoke takes one back',
      });
    }
    this.#byDigest.set(digest, { id, grant, expiresAtMs: atMs + ttlMs, state: 'open' });
  }

  /** Whether it is known, good or not. */
  has(digest: string): boolean {
    return this.#byDigest.has(digest);
  }

  /**
   * What the token grants; from now on it is used. One that was exchanged gives the same to the same key, for as long as it would
   * have been good: the answer may have been lost, and its bearer has the one key that it is of use with. Throws `UNAUTHENTICATED`
   * for one that grants nothing, and `REQUEST_INVALID` where that bearer asks under another name than before.
   */
  take(digest: string, atMs: number, asked?: Asked): TakenToken {
    const token = this.#byDigest.get(digest);
    if (token === undefined) throw refused('this token to join with is unknown here');
    const { exchange, expiresAtMs, grant, state } = token;
    if (state === 'revoked') throw refused('this token to join with was taken back');
    if (state === 'taken' || state === 'used') {
      if (exchange !== undefined && exchange.key === asked?.key && atMs < expiresAtMs) {
        if (asked.name === '' || asked.name === exchange.name) return { grant, exchange };
        throw renamed(asked.name, exchange.name);
      }
      throw refused('this token to join with was used before');
    }
    if (atMs >= expiresAtMs) throw refused('this token to join with has expired');
    token.state = 'taken';
    return { grant };
  }

  /** What it was used for, from now on. */
  exchanged(digest: string, exchange: Exchange): void {
    const token = this.#byDigest.get(digest);
    if (token === undefined) return;
    token.state = 'used';
    token.exchange = exchange;
  }

  /** The exchange failed for a reason that the token is innocent of: it can be used again. */
  giveBack(digest: string): void {
    const token = this.#byDigest.get(digest);
    if (token?.state === 'taken') token.state = 'open';
  }

  /** Those that can be used, the one that expires first at the top. */
  list(atMs: number): readonly ListedToken[] {
    return [...this.#byDigest.values()]
      .filter(({ expiresAtMs, state }) => state === 'open' && atMs < expiresAtMs)
      .map(({ expiresAtMs, grant, id }) => ({ ...grant, id, expiresAtMs }))
      .sort((one, other) => one.expiresAtMs - other.expiresAtMs);
  }

  /** Nobody can use it any more. Throws `TOKEN_NOT_FOUND` for one that nobody could use anyway. */
  revoke(id: string, atMs: number): ListedToken {
    const found = this.list(atMs).find((token) => token.id === id);
    if (found === undefined) throw new ShoalError('TOKEN_NOT_FOUND', { token: id });
    for (const token of this.#byDigest.values()) if (token.id === id) token.state = 'revoked';
    return found;
  }

  /** What is kept of it serves the words of an error, and the next machine is worth more. */
  #makeRoom(atMs: number): void {
    for (const [digest, { expiresAtMs, state }] of this.#byDigest) {
      // One whose exchange fails can be used again.
      if ((state === 'open' || state === 'taken') && atMs < expiresAtMs) continue;
      this.#byDigest.delete(digest);
      return;
    }
  }

  #forget(atMs: number): void {
    for (const [digest, { expiresAtMs }] of this.#byDigest) {
      if (atMs >= expiresAtMs + memoryMs) this.#byDigest.delete(digest);
    }
  }
}

/** Said to whoever has the key, and was told the name already or would have been. */
const renamed = (asked: string, name: string): ShoalError =>
  new ShoalError('REQUEST_INVALID', {
    field: 'name',
    reason: `is ${asked}, but this machine has joined as ${name} with this token and this key. Start it with --name ${name}; for an agent of another name give another --tls-dir and a new token`,
  });

const refused = (reason: string): ShoalError =>
  new ShoalError('UNAUTHENTICATED', {
    reason,
    hint: 'Make another: shoal token create --role agent. (One token lets one machine in; a restart of the coordinator voids all.)',
  });
