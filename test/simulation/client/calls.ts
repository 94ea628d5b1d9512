import type { AskDown, AskUp, CallError, ReadDown, ReadUp, WriteDown, WriteUp } from '../messages.ts';
import type { Stream } from '../network.ts';
import type { World } from '../world.ts';
import type { ClientHost } from './client-host.ts';

/** What a reader brings, as long as it does not fail. */
export type Reading = Exclude<ReadDown, { kind: 'failed' }>;

/** Who hears what comes of calls. */
export interface Hearer {
  read(call: number, message: Reading): void;
  itemsAnswered(call: number): void;
  /** Without an error: it was lost on the way. */
  failed(call: number, error: CallError | undefined): void;
}

/** The calls of a job's client to its coordinator that have not come to their end. */
export class Calls {
  readonly #client: ClientHost;
  readonly #world: World;
  readonly #hears: Hearer;
  readonly #readers = new Map<number, Stream<ReadUp, ReadDown>>();
  readonly #writers = new Map<number, Stream<WriteUp, WriteDown>>();
  readonly #asks = new Set<Stream<AskUp, AskDown>>();

  constructor(client: ClientHost, world: World, hears: Hearer) {
    this.#client = client;
    this.#world = world;
    this.#hears = hears;
  }

  /** A call with one answer; undefined: it was lost on the way. */
  ask(ask: AskUp, answered: (answer: AskDown | undefined) => void): void {
    const { network, coordinator } = this.#world;
    let isOpen = true;
    const stream = network.open<AskUp, AskDown>(
      this.#client.link,
      {
        host: this.#client.host,
        received: (message) => {
          if (!isOpen) return;
          isOpen = false;
          this.#asks.delete(stream);
          stream.closeNear();
          answered(message);
        },
        closed: () => {
          if (!isOpen) return;
          isOpen = false;
          this.#asks.delete(stream);
          answered(undefined);
        },
      },
      coordinator.asks,
      'strict',
    );
    this.#asks.add(stream);
    stream.sendUp(ask);
  }

  openReader(call: number, start: ReadUp): void {
    const stream = this.#world.network.open<ReadUp, ReadDown>(
      this.#client.link,
      {
        host: this.#client.host,
        received: (message) => this.#read(call, message),
        closed: () => {
          if (this.#readers.delete(call)) this.#hears.failed(call, undefined);
        },
      },
      this.#world.coordinator.reads,
      'strict',
    );
    this.#readers.set(call, stream);
    stream.sendUp(start);
  }

  openWriter(call: number, start: WriteUp): void {
    const stream = this.#world.network.open<WriteUp, WriteDown>(
      this.#client.link,
      {
        host: this.#client.host,
        received: (message) => {
          if (!this.#writers.delete(call)) return;
          stream.closeNear();
          if (message.kind === 'done') this.#hears.itemsAnswered(call);
          else this.#hears.failed(call, message.error);
        },
        closed: () => {
          if (this.#writers.delete(call)) this.#hears.failed(call, undefined);
        },
      },
      this.#world.coordinator.writes,
      'strict',
    );
    this.#writers.set(call, stream);
    stream.sendUp(start);
  }

  write(call: number, message: WriteUp): void {
    this.#writers.get(call)?.sendUp(message);
  }

  drop(call: number): void {
    const stream = this.#readers.get(call) ?? this.#writers.get(call);
    this.#readers.delete(call);
    this.#writers.delete(call);
    stream?.closeNear();
  }

  /** Its process is gone. */
  vanish(silent: boolean): void {
    for (const stream of [...this.#readers.values(), ...this.#writers.values(), ...this.#asks]) {
      if (silent) stream.forgetNear();
      else stream.closeNear();
    }
    this.#readers.clear();
    this.#writers.clear();
    this.#asks.clear();
  }

  /** The job is over; what was asked may still be answered. */
  finish(): void {
    for (const stream of [...this.#readers.values(), ...this.#writers.values()]) stream.closeNear();
    this.#readers.clear();
    this.#writers.clear();
  }

  #read(call: number, message: ReadDown): void {
    const stream = this.#readers.get(call);
    if (stream === undefined) return;
    if (message.kind !== 'failed') {
      this.#hears.read(call, message);
      return;
    }
    stream.closeNear();
    this.#readers.delete(call);
    this.#hears.failed(call, message.error);
  }
}
