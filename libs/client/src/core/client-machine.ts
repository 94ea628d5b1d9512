/**
 * Decides for a client's side of one job: what is read again and what is sent again after a connection broke, when to
 * try, and when to give up. Events in, commands out; no bytes, no clock, no promises.
 *
 *   blockPushed   -> producer window  -> sendBlock, … until an outcome or an answer confirms it
 *   batchReceived -> outcome cursor   -> deliver, each once and in order
 *   outcomesTaken -> acknowledgements -> acknowledge, a batch at a time
 */
import { Acknowledgements } from './acknowledgements.ts';
import type { ClientCommand, GiveUp } from './client-command.ts';
import type { BatchReceived, CallFailed, CallNumber, ClientEvent } from './client-event.ts';
import { type ClientLimits, lastWordMs } from './client-limits.ts';
import { ClientTurn } from './client-turn.ts';
import { DeadlineWatch } from './deadline-watch.ts';
import { Chance } from './jitter.ts';
import { OutcomeCursor, type ReadLoss } from './outcome-cursor.ts';
import { ProducerWindow, type WriteLoss } from './producer-window.ts';

/** Everything at one moment. */
export interface ClientSnapshot {
  /** Outcomes that are here, in the order of delivery. */
  readonly position: number;
  /** Blocks that the coordinator may not have. */
  readonly unconfirmedBlocks: number;
  readonly isOver: boolean;
}

export class ClientMachine {
  readonly #turn: ClientTurn = new ClientTurn();
  readonly #cursor: OutcomeCursor;
  readonly #producer: ProducerWindow;
  readonly #acknowledgements: Acknowledgements;
  readonly #deadline: DeadlineWatch;
  /** Why no items can be sent any more, and until when the stream of outcomes may say what is behind that. */
  #writeLoss: { readonly why: WriteLoss; readonly atMs: number } | undefined;

  constructor(limits: ClientLimits) {
    const { deadlineAtMs, reconnectTimeoutMs, seed } = limits;
    const chance = new Chance(seed);
    this.#cursor = new OutcomeCursor(this.#turn, reconnectTimeoutMs, chance);
    this.#producer = new ProducerWindow(this.#turn, reconnectTimeoutMs, chance);
    this.#acknowledgements = new Acknowledgements(this.#turn, limits, chance);
    this.#deadline = new DeadlineWatch(deadlineAtMs);
  }

  /** Takes one event and says what is to be done. */
  step(event: ClientEvent): ClientCommand[] {
    if (this.#turn.isOver) return [];
    this.#turn.begin(event.atMs);
    this.#apply(event);
    return this.#turn.takeCommands();
  }

  /** When `clockTicked` has to come at the latest; undefined: no need for it. */
  nextDeadlineMs(): number | undefined {
    if (this.#turn.isOver) return undefined;
    const times = [
      this.#cursor.retryAtMs,
      this.#producer.askAtMs,
      this.#acknowledgements.dueAtMs,
      this.#writeLoss?.atMs,
      this.#deadline.judgeAtMs,
    ].filter((atMs) => atMs !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  snapshot(): ClientSnapshot {
    return {
      position: this.#cursor.position,
      unconfirmedBlocks: this.#producer.unconfirmed,
      isOver: this.#turn.isOver,
    };
  }

  #apply(event: ClientEvent): void {
    switch (event.type) {
      case 'jobOpened':
        this.#cursor.open();
        this.#producer.ready();
        return;
      case 'blockPushed':
        this.#producer.push(event.first, event.count);
        return;
      case 'inputEnded':
        this.#producer.endInput();
        return;
      case 'outcomesTaken':
        this.#acknowledgements.take(event.position);
        return;
      case 'batchReceived':
        if (event.call === this.#cursor.call) this.#takeBatch(event);
        return;
      case 'messageReceived':
        if (event.call !== this.#cursor.call) return;
        this.#heard();
        this.#turn.emit({ type: 'passOn' });
        return;
      case 'endReceived':
        if (event.call === this.#cursor.call) this.#finish();
        return;
      case 'itemsAnswered':
        if (event.call !== this.#producer.stream) return;
        this.#deadline.heard(this.#turn.nowMs);
        this.#producer.answered();
        this.#acknowledgements.inputIsIn();
        return;
      case 'inputTold':
        if (event.call !== this.#producer.question) return;
        this.#deadline.heard(this.#turn.nowMs);
        this.#lostWriter(this.#producer.told(event));
        return;
      case 'acknowledgementAnswered':
        if (event.call !== this.#acknowledgements.call) return;
        this.#deadline.heard(this.#turn.nowMs);
        this.#acknowledgements.answered();
        return;
      case 'callFailed':
        this.#failed(event);
        return;
      case 'jobLeft':
        this.#end();
        return;
      case 'clockTicked':
        this.#tick();
        return;
      default:
        event satisfies never;
    }
  }

  #takeBatch(event: BatchReceived): void {
    this.#heard();
    const items = this.#cursor.take(event);
    if (items === undefined) {
      this.#turn.emit({ type: 'dropCall', call: event.call });
      this.#lostReader(this.#cursor.failed({ kind: 'lostOnTheWay' }));
      return;
    }
    this.#acknowledgements.batchCame();
    for (const item of items) this.#producer.settled(item);
  }

  #heard(): void {
    this.#cursor.heard();
    this.#deadline.heard(this.#turn.nowMs);
  }

  #failed({ call, failure }: CallFailed): void {
    if (call === this.#cursor.call) this.#lostReader(this.#cursor.failed(failure));
    else if (call === this.#acknowledgements.call) this.#acknowledgements.failed(failure);
    else if (call === this.#producer.stream || call === this.#producer.question) {
      this.#lostWriter(this.#producer.failed(failure));
    }
  }

  #tick(): void {
    const { nowMs } = this.#turn;
    if (this.#deadline.isOver(nowMs, this.#cursor.brokenSinceMs)) {
      this.#giveUp(this.#cursor.lastCall, 'pastDeadline');
      return;
    }
    const isDue = (atMs: number | undefined): boolean => atMs !== undefined && atMs <= nowMs;
    if (isDue(this.#cursor.retryAtMs)) this.#cursor.open();
    if (isDue(this.#producer.askAtMs)) this.#producer.ask();
    if (isDue(this.#acknowledgements.dueAtMs)) this.#acknowledgements.due();
    if (this.#writeLoss !== undefined && this.#writeLoss.atMs <= nowMs) {
      this.#giveUp(this.#producer.lastCall, this.#writeLoss.why);
    }
  }

  #lostReader(why: ReadLoss | undefined): void {
    if (why !== undefined) this.#giveUp(this.#cursor.lastCall, why);
  }

  /** The coordinator ends both streams of a job that is over; the other one says why. */
  #lostWriter(why: WriteLoss | undefined): void {
    if (why !== undefined) this.#writeLoss ??= { why, atMs: this.#turn.nowMs + lastWordMs };
  }

  #finish(): void {
    this.#acknowledgements.finish(this.#cursor.position);
    this.#end();
    this.#turn.emit({ type: 'finish' });
  }

  #giveUp(call: CallNumber, why: GiveUp['why']): void {
    this.#end();
    this.#turn.emit({ type: 'giveUp', call, why });
  }

  #end(): void {
    this.#turn.isOver = true;
    for (const call of [this.#cursor.call, this.#producer.stream]) {
      if (call !== undefined) this.#turn.emit({ type: 'dropCall', call });
    }
  }
}
