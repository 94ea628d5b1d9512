import type { Block, DataResponse, Dispatch, JobSetup } from '@shoal/protocol';
import type { AttemptId, JobId } from '@shoal/scheduler';
import type { StoredBlock } from '../payloads/payload.ts';

/** What an agent was told of a job, or is about to be, and has not been told to forget. */
interface HeldJob {
  /** By first item. */
  readonly blocks: Map<number, StoredBlock>;
  /** Released since the agent was told last. */
  releasedBlocks: number;
  releasedBytes: number;
}

/** One thing that is on its way. */
type Piece =
  | { readonly kind: 'setup'; readonly job: JobId; readonly setup: () => JobSetup }
  /** `sent`: bytes of it that went out already, as parts. */
  | { readonly kind: 'block'; readonly job: JobId; readonly block: StoredBlock; sent: number }
  | { readonly kind: 'dispatch'; readonly job: JobId; readonly dispatch: Dispatch }
  | { readonly kind: 'forgetBlocks'; readonly job: JobId; readonly before: number }
  | { readonly kind: 'forgetJob'; readonly job: JobId };

const forgetBlocksMin = 16;
const forgetBytesMin = 4 * 2 ** 20;

/**
 * What is on its way to one session: a setup once a job, a block once, then the work on it.
 *
 * A message is made when the session can send one, of about `messageBytes`: an agent that does not read costs no bytes
 * but those that the payload store holds anyway.
 */
export class WorkParcel {
  readonly #messageBytes: number;
  readonly #onCut: () => void;
  readonly #jobs = new Map<JobId, HeldJob>();
  #pieces: Piece[] = [];
  #takenSequence = 0;

  /** Hears of each block that is cut. */
  constructor(messageBytes: number, onCut: () => void = () => {}) {
    this.#messageBytes = messageBytes;
    this.#onCut = onCut;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0 && this.#takenSequence === 0;
  }

  /** Work on items, after what the agent needs for it. */
  dispatch(dispatch: Dispatch, setup: () => JobSetup, blocks: readonly StoredBlock[]): void {
    const job = dispatch.jobId;
    const held = this.#held(job, setup);
    for (const block of blocks) {
      if (held.blocks.has(block.first)) continue;
      held.blocks.set(block.first, block);
      // It stays readable until it is out, though its items may have their outcomes from elsewhere by then.
      block.payload.retain();
      this.#pieces.push({ kind: 'block', job, block, sent: 0 });
    }
    this.#pieces.push({ kind: 'dispatch', job, dispatch });
  }

  /** Blocks that nobody needs any more; the agent is told now and then. */
  released(job: JobId, blocks: readonly StoredBlock[]): void {
    const held = this.#jobs.get(job);
    if (held === undefined) return;
    for (const { first, payload } of blocks) {
      if (!held.blocks.delete(first)) continue;
      held.releasedBlocks += 1;
      held.releasedBytes += payload.byteLength;
    }
    // Looking for the lowest one costs time in proportion to those that are left, so it waits for as many.
    const enough = Math.max(forgetBlocksMin, held.blocks.size);
    if (held.releasedBlocks < enough && held.releasedBytes < forgetBytesMin) return;
    held.releasedBlocks = 0;
    held.releasedBytes = 0;
    const before = this.#lowestNeeded(held, blocks);
    if (before > 0) this.#pieces.push({ kind: 'forgetBlocks', job, before });
  }

  /**
   * Nothing of a job is needed any more: what is not out yet stays here. Returns the attempts of that, of which the agent never
   * hears, and so says nothing.
   */
  forgetJob(job: JobId): AttemptId[] {
    if (!this.#jobs.delete(job)) return [];
    const unsent: AttemptId[] = [];
    for (const piece of this.#pieces) {
      if (piece.kind === 'dispatch' && piece.job === job) unsent.push(piece.dispatch.attempt);
    }
    const isNews = this.#pieces.some((piece) => piece.kind === 'setup' && piece.job === job);
    this.#drop((piece) => piece.job === job && piece.kind !== 'forgetJob');
    // An agent that was never told of it has nothing to forget.
    if (!isNews) this.#pieces.push({ kind: 'forgetJob', job });
    return unsent;
  }

  /** Batches of results up to this one were taken. */
  taken(sequence: number): void {
    this.#takenSequence = sequence;
  }

  /** The next message; undefined when nothing waits. Throws a StorageError where a block cannot be read back. */
  next(): DataResponse | undefined {
    if (this.isEmpty) return undefined;
    // The first field that an agent applies: it may stand in a message that also brings work.
    const message: DataResponse = {
      takenSequence: this.#takenSequence,
      setups: [],
      blocks: [],
      dispatches: [],
      forgetBlocks: [],
      forgetJobIds: [],
    };
    this.#takenSequence = 0;
    let bytes = 0;
    let at = 0;
    for (; at < this.#pieces.length; at += 1) {
      const piece = this.#pieces[at] as Piece;
      // A setup begins a message, because setups come before all else in one: its job may just have been forgotten.
      if (piece.kind === 'setup' && at > 0) break;
      if (piece.kind === 'block') {
        const rest = piece.block.payload.byteLength - piece.sent;
        if (bytes > 0 && bytes + Math.min(rest, this.#messageBytes) > this.#messageBytes) break;
        let isWhole: boolean;
        try {
          isWhole = this.#addBlock(message, piece);
        } catch (error) {
          // What is in the message goes out; then this piece is the first one.
          if (at > 0) break;
          this.#takenSequence = message.takenSequence;
          throw error;
        }
        bytes += rest;
        if (!isWhole) break;
      } else addPiece(message, piece);
    }
    this.#pieces = this.#pieces.slice(at);
    return message;
  }

  /** Nothing is sent any more. */
  clear(): void {
    this.#drop(() => true);
    this.#jobs.clear();
  }

  #held(job: JobId, setup: () => JobSetup): HeldJob {
    const known = this.#jobs.get(job);
    if (known !== undefined) return known;
    const held = { blocks: new Map(), releasedBlocks: 0, releasedBytes: 0 };
    this.#jobs.set(job, held);
    this.#pieces.push({ kind: 'setup', job, setup });
    return held;
  }

  /** Adds a block, or as much of it as fits into a message. Answers whether all of it is out. */
  #addBlock(message: DataResponse, piece: Piece & { readonly kind: 'block' }): boolean {
    const { broadcasts, count, first, payload: stored } = piece.block;
    const to = Math.min(piece.sent + this.#messageBytes, stored.byteLength);
    const more = to < stored.byteLength;
    const totalBytes = more && piece.sent === 0 ? stored.byteLength : 0;
    const broadcastSha256 = piece.sent === 0 ? [...broadcasts] : [];
    if (more && piece.sent === 0) this.#onCut();
    const payload = stored.part(piece.sent, to);
    piece.sent = to;
    const block: Block = { first, count, payload, more, totalBytes, broadcastSha256 };
    const last = message.blocks.at(-1);
    // Blocks come before work in a message; so a block for later work may follow earlier work in the next one.
    if (last?.jobId === piece.job) last.blocks.push(block);
    else message.blocks.push({ jobId: piece.job, blocks: [block] });
    if (!more) stored.release();
    return !more;
  }

  #drop(isDropped: (piece: Piece) => boolean): void {
    const kept: Piece[] = [];
    for (const piece of this.#pieces) {
      if (!isDropped(piece)) kept.push(piece);
      else if (piece.kind === 'block') piece.block.payload.release();
    }
    this.#pieces = kept;
  }

  /** The first item of the first block that is still needed; behind the released ones if there is none. */
  #lowestNeeded(held: HeldJob, released: readonly StoredBlock[]): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const first of held.blocks.keys()) lowest = Math.min(lowest, first);
    if (lowest !== Number.POSITIVE_INFINITY) return lowest;
    return Math.max(...released.map(({ first, count }) => first + count));
  }
}

function addPiece(message: DataResponse, piece: Exclude<Piece, { readonly kind: 'block' }>): void {
  switch (piece.kind) {
    case 'setup':
      message.setups.push(piece.setup());
      return;
    case 'dispatch':
      message.dispatches.push(piece.dispatch);
      return;
    case 'forgetBlocks':
      message.forgetBlocks.push({ jobId: piece.job, before: piece.before });
      return;
    case 'forgetJob':
      message.forgetJobIds.push(piece.job);
  }
}
