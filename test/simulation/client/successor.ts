import { encoded } from '../item-block.ts';
import type { AskDown, AskUp, OutcomeMessage } from '../messages.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import { Calls, type Reading } from './calls.ts';
import type { ClientHost } from './client-host.ts';
import type { ClientJob } from './client-job.ts';
import type { Received } from './fate.ts';

/** How a client is replaced. */
export interface Replacement {
  readonly afterMs: number;
  readonly from: 'start' | 'cursor';
  readonly livesOn: boolean;
}

/** What the new process knows. */
interface Known {
  /** As the coordinator calls the job. */
  readonly id: string;
  /** Where it begins to read. */
  readonly position: number;
}

const againMs = 400;

/**
 * The client of a job in its second life: a program in any language, which has the job's id and a session of its own
 * and calls what the protocol offers, over and over until it works.
 *
 * It may read what the first one had read as long as nobody has acknowledged it, and finds the same there.
 */
export class Successor {
  readonly #job: ClientJob;
  readonly #client: ClientHost;
  readonly #calls: Calls;
  readonly #session: string;
  readonly #known: Known;
  #position: number;
  #call = 0;
  #reader = 0;
  #writer = 0;
  #parts: Uint8Array[] = [];
  #acknowledged = 0;
  #isAcknowledging = false;
  #isOver = false;

  constructor(job: ClientJob, client: ClientHost, world: World, known: Known) {
    this.#job = job;
    this.#client = client;
    this.#known = known;
    this.#position = known.position;
    this.#session = `${job.plan.name}-session-2`;
    this.#calls = new Calls(client, world, {
      read: (call, message) => {
        if (call === this.#reader) this.#read(message);
      },
      itemsAnswered: () => {},
      failed: (call, error) => this.#failed(call, error?.code),
    });
    this.#openReader();
    this.#askInput();
  }

  vanish(silent: boolean): void {
    this.#isOver = true;
    this.#calls.vanish(silent);
  }

  #openReader(): void {
    if (this.#isOver) return;
    this.#parts = [];
    this.#call += 1;
    this.#reader = this.#call;
    this.#calls.openReader(this.#call, {
      job: this.#known.id,
      session: this.#session,
      stream: this.#call,
      fromPosition: this.#position,
    });
  }

  /** Its items begin where the coordinator is; a producer that runs ahead is held back. */
  #askInput(): void {
    this.#ask({ kind: 'getJob', job: this.#known.id }, (answer) => {
      if (answer?.kind !== 'input') {
        if (answer?.kind === 'failed') this.#lost(answer.error.code);
        else this.#client.host.after(againMs, () => this.#askInput());
        return;
      }
      if (!answer.inputEnded) this.#write(answer.acceptedItems);
    });
  }

  #write(first: number): void {
    const { blockItems, items, name } = this.#job.plan;
    this.#call += 1;
    this.#writer = this.#call;
    const { id: job } = this.#known;
    this.#calls.openWriter(this.#call, {
      kind: 'start',
      job,
      session: this.#session,
      stream: this.#call,
      firstIndex: first,
    });
    for (let at = first; at < items; at += blockItems) {
      const count = Math.min(blockItems, items - at);
      const block = { first: at, count, bytes: encoded(name, at, count) };
      this.#calls.write(this.#call, { kind: 'block', block });
    }
    this.#calls.write(this.#call, { kind: 'endOfInput', totalItems: items });
  }

  #read(message: Reading): void {
    if (message.kind === 'ended') {
      this.#isOver = true;
      this.#acknowledge();
      this.#calls.finish();
      this.#job.settle({ kind: 'ended', state: message.state, failedIndex: message.failedIndex });
    } else {
      if (message.kind === 'batch') for (const outcome of message.outcomes) this.#take(outcome);
      // With the first word of the stream already: that the first process took what is before its cursor may not have
      // come across, and a window that is full of it lets no producer on.
      this.#acknowledge();
    }
  }

  #take(outcome: OutcomeMessage): void {
    if (outcome.kind === 'failure') {
      this.#receive({ index: outcome.index, failure: outcome.failure });
      return;
    }
    this.#parts.push(outcome.bytes);
    if (outcome.more) return;
    const bytes = new Uint8Array(Buffer.concat(this.#parts));
    this.#parts = [];
    const values = new Uint32Array(bytes.buffer, outcome.skip, outcome.count);
    for (const [at, execution] of values.entries()) this.#receive({ index: outcome.first + at, execution });
  }

  #receive(received: Received): void {
    this.#job.gave(this.#position, received);
    this.#position += 1;
  }

  #acknowledge(): void {
    if (this.#isAcknowledging || this.#position <= this.#acknowledged) return;
    this.#isAcknowledging = true;
    const position = this.#position;
    const ask = { kind: 'acknowledge', job: this.#known.id, session: this.#session, position } as const;
    this.#ask(ask, (answer) => {
      this.#isAcknowledging = false;
      if (answer?.kind === 'done') {
        this.#acknowledged = position;
        this.#acknowledge();
      } else if (answer === undefined) this.#client.host.after(againMs, () => this.#acknowledge());
    });
  }

  #ask(ask: AskUp, answered: (answer: AskDown | undefined) => void): void {
    if (this.#isOver && ask.kind !== 'acknowledge') return;
    this.#calls.ask(ask, answered);
  }

  #failed(call: number, code: string | undefined): void {
    if (this.#isOver) return;
    if (call === this.#writer) {
      this.#client.host.after(againMs, () => this.#askInput());
      return;
    }
    if (call !== this.#reader) return;
    if (code === 'RESULT_ACKNOWLEDGED') {
      // The first process has taken it, as late as a moment ago.
      const cursor = this.#job.taken;
      must(
        this.#position < cursor,
        'G3',
        () => `${this.#job.plan.name} has no outcome ${this.#position} any more, and nobody has taken it`,
        { job: this.#job.plan.name },
      );
      this.#position = cursor;
      this.#openReader();
    } else if (code === 'JOB_NOT_FOUND') this.#lost(code);
    // The first process may still try to be the one: whoever opened last is, and it gives up.
    else this.#client.host.after(againMs, () => this.#openReader());
  }

  #lost(why: string): void {
    this.#isOver = true;
    this.#calls.finish();
    this.#job.settle({ kind: 'lost', why });
  }
}
