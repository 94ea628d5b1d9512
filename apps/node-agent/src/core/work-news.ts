import type {
  ChunkEnded,
  ChunkRefused,
  ItemFailed,
  ItemsSucceeded,
  SetupFailed,
  SetupPrepared,
} from './agent-event.ts';
import type { AttemptTable } from './attempt-table.ts';
import type { JobSetups } from './job-setups.ts';
import type { OutboxLedger } from './outbox-ledger.ts';
import type { Turn } from './turn.ts';

/** What {@link WorkNews} works with. */
export interface WorkNewsParts {
  readonly turn: Turn;
  readonly table: AttemptTable;
  readonly setups: JobSetups;
  readonly ledger: OutboxLedger;
}

/** What the bundle cache and the process pool report. It retries nothing and blames nobody. */
export class WorkNews {
  readonly #turn: Turn;
  readonly #table: AttemptTable;
  readonly #setups: JobSetups;
  readonly #ledger: OutboxLedger;

  constructor({ turn, table, setups, ledger }: WorkNewsParts) {
    this.#turn = turn;
    this.#table = table;
    this.#setups = setups;
    this.#ledger = ledger;
  }

  setupPrepared({ setup: id }: SetupPrepared): void {
    const setup = this.#setups.settled(id, 'ready');
    if (setup === undefined) return;
    for (const record of this.#table.waitingFor(setup)) {
      this.#table.wake(record);
      this.#table.startIfReady(record);
    }
  }

  setupFailed({ setup: id, retryable }: SetupFailed): void {
    const setup = this.#setups.settled(id, retryable ? 'lacking' : 'failed');
    if (setup === undefined) return;
    for (const record of this.#table.waitingFor(setup)) {
      if (retryable) this.#table.rest(record);
      else this.#table.report(record, 'setupFailure');
    }
  }

  chunkRefused({ chunk, retryable }: ChunkRefused): void {
    const record = this.#table.chunkOver(chunk);
    if (record === undefined) return;
    if (record.isRevoked) this.#table.report(record, 'returned');
    else if (retryable) this.#table.rest(record);
    else this.#table.report(record, 'inHand');
  }

  /** Values, or a failure: wanted as long as the attempt is. */
  itemsReported({ type, chunk, bytes }: ItemsSucceeded | ItemFailed): void {
    const record = this.#table.chunks.get(chunk);
    if (record === undefined || record.isRevoked) return;
    const kind = type === 'itemFailed' ? 'failure' : 'values';
    const entry = this.#ledger.add(record.id, bytes, kind);
    this.#turn.emit({ type: 'keepNews', entry, attempt: record.id, content: 'inHand' });
  }

  chunkEnded({ chunk }: ChunkEnded): void {
    const record = this.#table.chunkOver(chunk);
    if (record !== undefined) this.#table.report(record, record.isRevoked ? 'returned' : 'inHand');
  }
}
