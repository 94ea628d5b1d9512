import type { Piece } from './agent-command.ts';
import type { AttemptId, EntryId } from './agent-event.ts';
import type { AgentLimits } from './agent-limits.ts';
import type { Turn } from './turn.ts';

/** One piece of news: values, a failure, an ending. */
interface Entry {
  readonly entry: EntryId;
  readonly attempt: AttemptId;
  readonly bytes: number;
  readonly kind: 'values' | 'failure' | 'ending';
}

interface SentBatch {
  readonly sequence: number;
  /** The entries whose last piece it has. */
  readonly entries: readonly Entry[];
}

/** What news weigh beyond their payload. */
const entryBytes = 64;

/**
 * What the agent has to report, until the coordinator has taken it. The bytes are the driver's, by entry.
 *
 * A batch that was sent stays here until it was taken; after a reconnect everything that was not is sent again, in the
 * same order, under the new session. An entry that is too big for a message travels in pieces: half of one is lost with
 * its session, so it counts as taken with its last piece and is sent again from its first.
 */
export class OutboxLedger {
  readonly #limits: AgentLimits;
  readonly #turn: Turn;
  #pending: Entry[] = [];
  /** Bytes of the first pending entry that are on their way. */
  #sentOfFirst = 0;
  #sent: SentBatch[] = [];
  #sequence = 0;
  #entryIds = 0;
  #heldBytes = 0;
  #bytesSinceBatch = 0;
  #hasLeftOver = false;
  #isFull = false;

  constructor(limits: AgentLimits, turn: Turn) {
    this.#limits = limits;
    this.#turn = turn;
  }

  /** Something is to be sent. */
  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** So much is pending that no more should be waited for. */
  get isAmple(): boolean {
    return this.#hasLeftOver || this.#bytesSinceBatch >= this.#limits.gatherBytes;
  }

  /** What is kept in all, the weight of each entry included. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The children wait. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** The number of the last batch of this session. */
  get sequence(): number {
    return this.#sequence;
  }

  /** All entries, in the order in which they are, or were, sent. */
  entries(): Entry[] {
    return [...this.#sent.flatMap(({ entries }) => entries), ...this.#pending];
  }

  add(attempt: AttemptId, payloadBytes: number, kind: Entry['kind']): EntryId {
    this.#entryIds += 1;
    const bytes = payloadBytes + entryBytes;
    this.#pending.push({ entry: this.#entryIds, attempt, bytes, kind });
    this.#bytesSinceBatch += bytes;
    this.#hold(bytes);
    return this.#entryIds;
  }

  /** The next batch; it counts as sent. Without pieces where nothing is pending: prints may wait. */
  takeBatch(): { readonly sequence: number; readonly pieces: readonly Piece[] } {
    const { messageBytes } = this.#limits;
    const pieces: Piece[] = [];
    let bytes = 0;
    let whole = 0;
    for (const { entry, attempt, bytes: weight, kind } of this.#pending) {
      const fromByte = this.#sentOfFirst;
      const payloadBytes = weight - entryBytes;
      // Only values can be taken apart.
      const toByte = kind === 'values' ? Math.min(payloadBytes, fromByte + messageBytes) : payloadBytes;
      const pieceBytes = toByte - fromByte + entryBytes;
      if (pieces.length > 0 && bytes + pieceBytes > messageBytes) break;
      const more = toByte < payloadBytes;
      pieces.push({ entry, attempt, fromByte, toByte, more });
      bytes += pieceBytes;
      this.#sentOfFirst = more ? toByte : 0;
      if (more) break;
      whole += 1;
    }
    this.#sequence += 1;
    this.#bytesSinceBatch = 0;
    this.#sent.push({ sequence: this.#sequence, entries: this.#pending.splice(0, whole) });
    this.#hasLeftOver = this.hasPending;
    return { sequence: this.#sequence, pieces };
  }

  /** The coordinator has all batches up to this one. Returns the attempts whose ending was among them. */
  taken(sequence: number): AttemptId[] {
    const count = this.#sent.filter((batch) => batch.sequence <= sequence).length;
    const entries = this.#sent.splice(0, count).flatMap((batch) => batch.entries);
    this.#drop(entries);
    return entries.filter(({ kind }) => kind === 'ending').map(({ attempt }) => attempt);
  }

  /** A new session has begun: what was not taken is sent again, as far as it is still wanted. */
  reopen(isWanted: (attempt: AttemptId, isEnding: boolean) => boolean): void {
    const [wanted, unwanted] = split(this.entries(), (each) =>
      isWanted(each.attempt, each.kind === 'ending'),
    );
    this.#sent = [];
    this.#sequence = 0;
    this.#sentOfFirst = 0;
    this.#pending = wanted;
    this.#drop(unwanted);
  }

  /** Nobody wants to hear more of this attempt than that it is over. What is on its way stays until it was taken. */
  forgetValues(attempt: AttemptId): void {
    const isUnwanted = (each: Entry): boolean => each.attempt === attempt && each.kind !== 'ending';
    const first = this.#pending[0];
    if (first !== undefined && isUnwanted(first)) this.#sentOfFirst = 0;
    const [unwanted, wanted] = split(this.#pending, isUnwanted);
    if (unwanted.length === 0) return;
    this.#pending = wanted;
    this.#drop(unwanted);
  }

  /** Nobody wants to hear of anything any more. */
  clear(): void {
    const all = this.entries();
    this.#pending = [];
    this.#sentOfFirst = 0;
    this.#sent = [];
    this.#drop(all);
  }

  #drop(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#turn.emit({ type: 'dropNews', entries: entries.map(({ entry }) => entry) });
    this.#hold(-entries.reduce((sum, { bytes }) => sum + bytes, 0));
  }

  #hold(bytes: number): void {
    const { outboxBytes } = this.#limits;
    this.#heldBytes += bytes;
    // Well below the limit, or the children would be stopped and started for every message.
    const isFull = this.#heldBytes >= (this.#isFull ? outboxBytes / 2 : outboxBytes);
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#turn.emit({ type: isFull ? 'pauseChildren' : 'resumeChildren' });
  }
}

/** Those for which it holds, and the others, each in order. */
function split<T>(all: readonly T[], holds: (each: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const each of all) (holds(each) ? yes : no).push(each);
  return [yes, no];
}
