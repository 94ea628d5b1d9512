import type { JobId, PayloadWatch } from '@shoal/scheduler';
import { Payload, StorageError, type StoredBlock, type StoredFailure, type StoredRun } from './payload.ts';
import type { SpillShelf } from './spill-folder.ts';

/** What a payload belongs to. */
type Stored = StoredBlock | StoredFailure | StoredRun;

/** Above so much of all the room, in memory and on the disk, producers are held back. */
const tightAbove = 3 / 4;
/** Below it they go on. */
const easyBelow = 1 / 2;

/** What a {@link PayloadVault} works with. */
export interface VaultParts {
  /** Bytes of items, values and failures in memory, over all jobs; beyond them they go to the shelf. */
  readonly maxPayloadBytes: number;
  readonly shelf: SpillShelf;
  /** There is little room left, or enough again. */
  readonly onTight: (isTight: boolean) => void;
  /** This job has to go: there is no room. */
  readonly onFull: (job: JobId, reason: string) => void;
}

interface Holdings {
  /** In memory, in the order in which they came. Those that have gone since are swept out when they are many. */
  inMemory: Payload[];
  /** How many of these have gone. */
  dead: number;
  /** All that is held for the job, wherever it lies. */
  payloads: number;
  bytes: number;
}

const sweepMin = 32;

/**
 * Keeps the bytes of all jobs within the memory that they may take; the rest lies on the disk until it is needed.
 *
 * What goes first: of the job that has been quiet for longest, what came last, for it is needed last. So a consumer that
 * has stopped is on the disk soon, and those that read on do not notice.
 */
export class PayloadVault implements PayloadWatch<StoredRun, StoredBlock, StoredFailure> {
  readonly #parts: VaultParts;
  /** The one that has been quiet for longest first. */
  readonly #jobs: Map<JobId, Holdings> = new Map();
  readonly #ownerOf: Map<Payload, JobId> = new Map();
  /** Told to go already. */
  readonly #full: Set<JobId> = new Set();
  #memoryBytes = 0;
  #isTight = false;

  constructor(parts: VaultParts) {
    this.#parts = parts;
  }

  /** Bytes in memory. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Bytes on the disk. */
  get spilledBytes(): number {
    return this.#parts.shelf.bytes;
  }

  /** There is little room left: producers are held back. */
  get isTight(): boolean {
    return this.#isTight;
  }

  /** Bytes that nobody holds yet. */
  payload(bytes: Uint8Array): Payload {
    return new Payload(bytes, (payload, wasInMemory) => this.#freed(payload, wasInMemory));
  }

  held(job: JobId, stored: Stored): void {
    const { payload } = stored;
    payload.retain();
    const holdings = this.#active(job);
    if (this.#ownerOf.has(payload)) return;
    this.#ownerOf.set(payload, job);
    holdings.inMemory.push(payload);
    holdings.payloads += 1;
    holdings.bytes += payload.byteLength;
    this.#memoryBytes += payload.byteLength;
    this.#makeRoom();
    this.#weigh();
  }

  gone(job: JobId, stored: Stored): void {
    if (this.#jobs.has(job)) this.#active(job);
    stored.payload.release();
  }

  /** Deletes what is on the disk. */
  close(): void {
    this.#parts.shelf.close();
  }

  #freed(payload: Payload, wasInMemory: boolean): void {
    const job = this.#ownerOf.get(payload);
    const holdings = job === undefined ? undefined : this.#jobs.get(job);
    if (job === undefined || holdings === undefined) return;
    this.#ownerOf.delete(payload);
    holdings.payloads -= 1;
    holdings.bytes -= payload.byteLength;
    if (wasInMemory) {
      this.#memoryBytes -= payload.byteLength;
      holdings.dead += 1;
    }
    if (holdings.payloads === 0) {
      this.#jobs.delete(job);
      this.#full.delete(job);
    } else if (holdings.dead >= sweepMin && holdings.dead * 2 > holdings.inMemory.length) {
      holdings.inMemory = holdings.inMemory.filter((each) => this.#ownerOf.has(each));
      holdings.dead = 0;
    }
    this.#weigh();
  }

  #active(job: JobId): Holdings {
    const holdings = this.#jobs.get(job) ?? { inMemory: [], dead: 0, payloads: 0, bytes: 0 };
    this.#jobs.delete(job);
    this.#jobs.set(job, holdings);
    return holdings;
  }

  #makeRoom(): void {
    for (const [job, holdings] of this.#jobs) {
      while (this.#memoryBytes > this.#parts.maxPayloadBytes) {
        const payload = holdings.inMemory.pop();
        if (payload === undefined) break;
        if (!this.#ownerOf.has(payload)) {
          holdings.dead -= 1;
          continue;
        }
        try {
          payload.spill((bytes) => this.#parts.shelf.write(job, bytes));
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
          holdings.inMemory.push(payload);
          this.#tooMuch(error.message);
          return;
        }
        this.#memoryBytes -= payload.byteLength;
      }
      if (this.#memoryBytes <= this.#parts.maxPayloadBytes) return;
    }
  }

  /** There is no room anywhere: the job that holds most has to go, not the one that came last. */
  #tooMuch(reason: string): void {
    let most: JobId | undefined;
    for (const [job, { bytes }] of this.#jobs) {
      // One that is on its way out makes room in a moment.
      if (this.#full.has(job)) return;
      if (most === undefined || bytes > (this.#jobs.get(most)?.bytes ?? 0)) most = job;
    }
    if (most === undefined) return;
    this.#full.add(most);
    this.#parts.onFull(most, reason);
  }

  #weigh(): void {
    const { maxPayloadBytes, onTight, shelf } = this.#parts;
    const used = (this.#memoryBytes + shelf.bytes) / (maxPayloadBytes + shelf.maxBytes);
    const isTight = this.#isTight ? used >= easyBelow : used > tightAbove;
    if (isTight === this.#isTight) return;
    this.#isTight = isTight;
    onTight(isTight);
  }
}
