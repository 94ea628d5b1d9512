import { durationText, ShoalError } from '@shoal/errors';

interface Tries {
  /** Wrong ones in a row. */
  wrong: number;
  lastAtMs: number;
  /** No token from there is looked at before. */
  closedUntilMs: number;
}

const firstWaitMs = 1_000;
const waitMsMax = 300_000;
/** Somebody who has not tried for so long begins anew. */
const memoryMs = 3_600_000;

/**
 * Who has shown wrong tokens, and how long he has to wait before another one is looked at: a second after the first
 * `most` in a row, and twice as long with each further one, five minutes at most.
 *
 * Nobody guesses 256 bits. This keeps a guesser from using up the coordinator's time, and makes him show in its status.
 * Pure: the time comes with each call.
 */
export class TokenTries {
  readonly #most: number;
  readonly #peersMax: number;
  readonly #onDropped: () => void;
  /** The one who has tried last is last. */
  readonly #byPeer: Map<string, Tries> = new Map();

  /** So many are remembered: whoever has more addresses could try with a new one each time, anyhow. */
  constructor(most: number, peersMax: number, onDropped: () => void) {
    this.#most = most;
    this.#peersMax = peersMax;
    this.#onDropped = onDropped;
  }

  /** Throws `TOO_MANY_TRIES` while no token of this peer is looked at. */
  check(peer: string, atMs: number): void {
    const tries = this.#byPeer.get(peer);
    if (tries === undefined || atMs >= tries.closedUntilMs) return;
    const wait = durationText(Math.max(1_000, tries.closedUntilMs - atMs));
    throw new ShoalError('TOO_MANY_TRIES', { peer, wait, limitName: 'wrongTokens' });
  }

  wrong(peer: string, atMs: number): void {
    const known = this.#byPeer.get(peer);
    const isForgotten = known === undefined || atMs - known.lastAtMs > memoryMs;
    const tries = isForgotten ? { wrong: 0, lastAtMs: atMs, closedUntilMs: 0 } : known;
    tries.wrong += 1;
    tries.lastAtMs = atMs;
    const beyond = tries.wrong - this.#most;
    if (beyond >= 0) tries.closedUntilMs = atMs + Math.min(waitMsMax, firstWaitMs * 2 ** beyond);
    this.#byPeer.delete(peer);
    this.#byPeer.set(peer, tries);
    if (this.#byPeer.size <= this.#peersMax) return;
    const [oldest] = this.#byPeer.keys();
    if (oldest === undefined) return;
    this.#byPeer.delete(oldest);
    this.#onDropped();
  }

  /** A right one: whatever came before was a mistake. */
  right(peer: string): void {
    this.#byPeer.delete(peer);
  }
}
