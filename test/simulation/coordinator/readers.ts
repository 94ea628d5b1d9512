import type { Outcome, ResultBytes } from '@shoal/scheduler';
import type { OutcomeMessage, ReadDown, ReadUp, StoredFailure } from '../messages.ts';
import { type Listener, listening, type Stream } from '../network.ts';
import type { CoordinatorCore } from './core.ts';
import type { Jobs } from './jobs.ts';

/** A run is cut into messages of so many bytes, so that runs in parts are nothing special. */
const messageBytes = 16;

type StoredOutcome = Outcome<ResultBytes, StoredFailure>;

/** The outcomes of a job that are kept, from a position on. */
export type OutcomesFrom = (job: string, position: number) => Iterable<StoredOutcome>;

interface Reader {
  readonly stream: Stream<ReadUp, ReadDown>;
  readonly job: string;
  readonly session: string;
  sent: number;
  upTo: number;
  isEnding: boolean;
  isPumping: boolean;
}

/** Calls of clients that fetch outcomes. */
export class Readers {
  readonly listener: Listener<ReadUp, ReadDown>;
  readonly #core: CoordinatorCore;
  readonly #jobs: Jobs;
  readonly #outcomesFrom: OutcomesFrom;
  readonly #bound: (job: string, session: string) => void;
  readonly #readers = new Map<number, Reader>();

  constructor(
    core: CoordinatorCore,
    jobs: Jobs,
    outcomesFrom: OutcomesFrom,
    bound: (job: string, session: string) => void,
  ) {
    this.#core = core;
    this.#jobs = jobs;
    this.#outcomesFrom = outcomesFrom;
    this.#bound = bound;
    this.listener = listening(core.host, (stream) => {
      let call = 0;
      return {
        received: ({ fromPosition, job, session, stream: number }) => {
          call = core.nextCall();
          this.#readers.set(call, {
            stream,
            job,
            session,
            sent: fromPosition,
            upTo: fromPosition,
            isEnding: false,
            isPumping: false,
          });
          core.step({ type: 'readerOpened', call, job, session, stream: number, fromPosition });
        },
        closed: () => {
          if (this.#readers.delete(call)) core.step({ type: 'readerClosed', call });
        },
      };
    });
  }

  /** What is read. */
  get jobs(): string[] {
    return [...this.#readers.values()].map(({ job }) => job);
  }

  get streams(): Stream<ReadUp, ReadDown>[] {
    return [...this.#readers.values()].map(({ stream }) => stream);
  }

  bind(call: number, fromPosition: number): void {
    const reader = this.#readers.get(call);
    if (reader === undefined) return;
    this.#bound(reader.job, reader.session);
    reader.sent = fromPosition;
    reader.upTo = fromPosition;
  }

  offer(call: number, upTo: number): void {
    const reader = this.#readers.get(call);
    if (reader === undefined) return;
    reader.upTo = upTo;
    this.#pumpSoon(call, reader);
  }

  grant(call: number, upTo: number): void {
    this.#readers.get(call)?.stream.sendDown({ kind: 'granted', upTo });
  }

  end(call: number): void {
    const reader = this.#readers.get(call);
    if (reader === undefined) return;
    reader.isEnding = true;
    this.#pumpSoon(call, reader);
  }

  remove(call: number): Stream<ReadUp, ReadDown> | undefined {
    const reader = this.#readers.get(call);
    this.#readers.delete(call);
    return reader?.stream;
  }

  restart(): void {
    this.#readers.clear();
  }

  #pumpSoon(call: number, reader: Reader): void {
    if (reader.isPumping) return;
    reader.isPumping = true;
    this.#core.host.after(0, () => {
      reader.isPumping = false;
      if (this.#readers.get(call) === reader) this.#pump(call, reader);
    });
  }

  #pump(call: number, reader: Reader): void {
    const { stream, job } = reader;
    if (reader.sent < reader.upTo) {
      const position = reader.sent;
      const outcomes: OutcomeMessage[] = [];
      for (const outcome of this.#outcomesFrom(job, position)) {
        if (outcome.position >= reader.upTo) break;
        outcomes.push(...messagesOf(outcome));
        reader.sent = outcome.position + outcome.count;
      }
      // Cut anywhere, in the middle of a run as well.
      for (let at = 0, before = position; at < outcomes.length; at += 3) {
        const batch = outcomes.slice(at, at + 3);
        stream.sendDown({ kind: 'batch', position: before, outcomes: batch });
        for (const each of batch) {
          if (each.kind === 'failure') before += 1;
          else if (!each.more) before += each.count;
        }
      }
    }
    if (!reader.isEnding) return;
    const ending = this.#jobs.find(job)?.ending;
    stream.sendDown({ kind: 'ended', state: ending?.state ?? 'unknown', failedIndex: ending?.index });
    this.#readers.delete(call);
    stream.closeFar();
    this.#core.step({ type: 'readerClosed', call });
  }
}

/** An outcome as it travels: big runs in parts. */
function messagesOf(outcome: StoredOutcome): OutcomeMessage[] {
  if (outcome.kind === 'failure') {
    return [{ kind: 'failure', index: outcome.first, failure: outcome.failure }];
  }
  const { first, count, offset, run } = outcome;
  const skip = offset * 4;
  const messages: OutcomeMessage[] = [];
  for (let from = 0; from < run.bytes.byteLength; from += messageBytes) {
    const bytes = run.bytes.subarray(from, from + messageBytes);
    const more = from + messageBytes < run.bytes.byteLength;
    messages.push({ kind: 'run', first, count, skip, bytes, more });
  }
  return messages;
}
