import type {
  GroupStats,
  ItemFailure,
  JobEnded,
  JobProgress,
  OutcomeBatch,
  Print,
  ReadResultsResponse,
  ResultRun,
} from '@shoal/protocol';
import { wholeRun } from './outcome-shape.ts';

/** What comes on a stream of results. */
export type Message = NonNullable<ReadResultsResponse['message']>;

/** Who hears what a coordinator says of a job. */
export interface OutcomeListener {
  /** Values of consecutive items; `run.payload` is whole. */
  values(run: ResultRun): void;
  failed(failure: ItemFailure): void;
  granted(upTo: number): void;
  print(print: Print): void;
  progress(progress: JobProgress): void;
  stats(stats: GroupStats): void;
  ended(ended: JobEnded): void;
  /** The coordinator cannot be reached for now; or it can be again. */
  reached(isReached: boolean): void;
  /** Nothing more can be read. */
  lost(error: unknown): void;
  /** Something of what it was to hear could not be handed on. */
  broke(error: unknown): void;
  /** Its deadline has passed, and the coordinator does not say so. */
  late(): void;
}

/** Hands on what came of a job, a run that came in parts as one. */
export class OutcomeDelivery {
  readonly #listener: OutcomeListener;
  /** Parts of the run that is being received. */
  #runParts: Uint8Array[] = [];

  constructor(listener: OutcomeListener) {
    this.#listener = listener;
  }

  keepPart({ outcomes }: OutcomeBatch, at: number): void {
    const outcome = outcomes[at]?.outcome;
    if (outcome?.$case === 'run') this.#runParts.push(outcome.value.payload);
  }

  dropParts(): void {
    this.#runParts = [];
  }

  deliver({ outcomes }: OutcomeBatch, at: number): void {
    const outcome = outcomes[at]?.outcome;
    const parts = this.#runParts;
    this.#runParts = [];
    if (outcome?.$case === 'run') this.#listener.values(wholeRun(parts, outcome.value));
    else if (outcome?.$case === 'failure') this.#listener.failed(outcome.value);
  }

  passOn(message: Message): void {
    switch (message.$case) {
      case 'granted':
        this.#listener.granted(message.value.upTo);
        return;
      case 'print':
        this.#listener.print(message.value);
        return;
      case 'progress':
        this.#listener.progress(message.value);
        return;
      case 'stats':
        this.#listener.stats(message.value);
    }
  }
}
