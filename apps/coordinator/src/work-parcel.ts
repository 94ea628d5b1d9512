import type { Block, DataResponse, Dispatch, ForgetBlocks, JobSetup } from '@shoal/protocol';
import type { JobId } from '@shoal/scheduler';
import type { StoredBlock } from './job.ts';

/** What an agent was sent of a job and has not been told to forget. */
interface HeldJob {
  /** By first item. */
  readonly blocks: Map<number, StoredBlock>;
  /** Released since the agent was told last. */
  releasedBlocks: number;
  releasedBytes: number;
}

const forgetBlocksMin = 16;
const forgetBytesMin = 4 * 2 ** 20;

/**
 * What is on its way to one session: a setup once a job, a block once, then the work on it.
 *
 * Everything that the scheduler says in one turn of the event loop shares messages of about `messageBytes`.
 */
export class WorkParcel {
  readonly #messageBytes: number;
  readonly #jobs = new Map<JobId, HeldJob>();
  #messages: DataResponse[] = [];
  #open: DataResponse | undefined;
  #openBytes = 0;

  constructor(messageBytes: number) {
    this.#messageBytes = messageBytes;
  }

  /** Work on items, after what the agent needs for it. */
  dispatch(dispatch: Dispatch, setup: () => JobSetup, blocks: readonly StoredBlock[]): void {
    const held = this.#held(dispatch.jobId, setup);
    for (const block of blocks) {
      if (held.blocks.has(block.first)) continue;
      held.blocks.set(block.first, block);
      this.#addBlock(dispatch.jobId, block);
    }
    this.#message().dispatches.push(dispatch);
  }

  /** Blocks that nobody needs any more; the agent is told now and then. */
  released(job: JobId, blocks: readonly StoredBlock[]): void {
    const held = this.#jobs.get(job);
    if (held === undefined) return;
    for (const { first, bytes } of blocks) {
      if (!held.blocks.delete(first)) continue;
      held.releasedBlocks += 1;
      held.releasedBytes += bytes.byteLength;
    }
    // Looking for the lowest one costs time in proportion to those that are left, so it waits for as many.
    const enough = Math.max(forgetBlocksMin, held.blocks.size);
    if (held.releasedBlocks < enough && held.releasedBytes < forgetBytesMin) return;
    held.releasedBlocks = 0;
    held.releasedBytes = 0;
    const before = this.#lowestNeeded(held, blocks);
    if (before > 0) this.#message().forgetBlocks.push({ jobId: job, before } satisfies ForgetBlocks);
  }

  forgetJob(job: JobId): void {
    if (this.#jobs.delete(job)) this.#message().forgetJobIds.push(job);
  }

  /** Batches of results up to this one were taken. */
  taken(sequence: number): void {
    // The first field that an agent applies: it may stand in a message that also brings work.
    this.#message().takenSequence = sequence;
  }

  /** All messages that wait, in order. */
  take(): DataResponse[] {
    this.#close();
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  #held(job: JobId, setup: () => JobSetup): HeldJob {
    const known = this.#jobs.get(job);
    if (known !== undefined) return known;
    const held = { blocks: new Map(), releasedBlocks: 0, releasedBytes: 0 };
    this.#jobs.set(job, held);
    // A new message, because setups come before all else in one: this job may just have been forgotten in that.
    this.#close();
    this.#message().setups.push(setup());
    return held;
  }

  #addBlock(jobId: JobId, { first, count, bytes, broadcasts = [] }: StoredBlock): void {
    for (let from = 0; from === 0 || from < bytes.byteLength; from += this.#messageBytes) {
      const payload = bytes.subarray(from, from + this.#messageBytes);
      if (this.#openBytes + payload.byteLength > this.#messageBytes) this.#close();
      const more = from + payload.byteLength < bytes.byteLength;
      const totalBytes = more && from === 0 ? bytes.byteLength : 0;
      const broadcastSha256 = from === 0 ? [...broadcasts] : [];
      const block: Block = { first, count, payload, more, totalBytes, broadcastSha256 };
      const message = this.#message();
      const last = message.blocks.at(-1);
      // Blocks come before work in a message; so a block for later work may follow earlier work in the next one.
      if (last?.jobId === jobId) last.blocks.push(block);
      else message.blocks.push({ jobId, blocks: [block] });
      this.#openBytes += payload.byteLength;
    }
  }

  /** The first item of the first block that is still needed; behind the released ones if there is none. */
  #lowestNeeded(held: HeldJob, released: readonly StoredBlock[]): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const first of held.blocks.keys()) lowest = Math.min(lowest, first);
    if (lowest !== Number.POSITIVE_INFINITY) return lowest;
    return Math.max(...released.map(({ first, count }) => first + count));
  }

  #message(): DataResponse {
    this.#open ??= {
      takenSequence: 0,
      setups: [],
      blocks: [],
      dispatches: [],
      forgetBlocks: [],
      forgetJobIds: [],
    };
    return this.#open;
  }

  #close(): void {
    if (this.#open === undefined) return;
    this.#messages.push(this.#open);
    this.#open = undefined;
    this.#openBytes = 0;
  }
}
