import { randomInt, randomUUID } from 'node:crypto';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { ShoalError, timerMsMax } from '@shoal/errors';
import type { Block } from '@shoal/pool';
import type { AcknowledgeResultsResponse, GetJobResponse, ReadResultsResponse } from '@shoal/protocol';
import { CallErrors } from './call-errors.ts';
import type { Connection } from './connection.ts';
import { type CallNumber, type ClientCommand, type ClientEvent, ClientMachine } from './core/index.ts';
import { ItemStream } from './item-stream.ts';
import { type Message, OutcomeDelivery, type OutcomeListener } from './outcome-delivery.ts';
import { outcomeShape } from './outcome-shape.ts';

/** What nobody sees before the end may wait so long with the coordinator to share a message. */
const unwatchedGatherMs = 250;

/** What a {@link JobDriver} drives. */
export interface JobDriverParts {
  readonly connection: Connection;
  readonly jobId: string;
  /** How far the producer may be ahead of the consumer. */
  readonly windowItems: number;
  /** Whether outcomes are seen before the last one has come. */
  readonly isWatched: boolean;
  /** When its deadline passes, as `performance.now()` has it. */
  readonly deadlineAtMs: number | undefined;
  readonly listener: OutcomeListener;
}

/** An event before the driver has put the time on it. */
type Happening<E = ClientEvent> = E extends ClientEvent ? Omit<E, 'atMs'> : never;

/**
 * Does what the client's core says for one job, in the order in which it says it, and decides nothing.
 *
 *   streams, calls, the surface -> machine.step -> commands -> streams, calls, the listener
 */
export class JobDriver {
  readonly #parts: JobDriverParts;
  readonly #machine: ClientMachine;
  /** This client's hold of the job, over all connections. */
  readonly #session: string = randomUUID();
  /** Blocks that the coordinator may not have, by first item, in order. */
  readonly #blocks: Map<number, Block> = new Map();
  readonly #outcomes: OutcomeDelivery;
  #reader:
    | { readonly number: CallNumber; readonly call: ClientReadableStream<ReadResultsResponse> }
    | undefined;
  #writer: { readonly number: CallNumber; readonly stream: ItemStream } | undefined;
  readonly #errors: CallErrors;
  /** Events that came while commands were carried out: each step is done before the next one begins. */
  readonly #waiting: Array<{ readonly event: Happening; readonly message: Message | undefined }> = [];
  #stepping = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #over = new AbortController();
  #lastWord: Promise<void> = Promise.resolve();

  constructor(parts: JobDriverParts) {
    this.#parts = parts;
    const { connection, deadlineAtMs, isWatched, listener, windowItems } = parts;
    const { reconnectTimeoutMs } = connection.limits;
    const seed = randomInt(2 ** 31);
    this.#errors = new CallErrors(connection.address);
    this.#outcomes = new OutcomeDelivery(listener);
    this.#machine = new ClientMachine({ windowItems, isWatched, reconnectTimeoutMs, deadlineAtMs, seed });
    const closed = (): void => {
      if (this.#over.signal.aborted) return;
      this.leave();
      listener.lost(connection.closed.reason);
    };
    connection.closed.addEventListener('abort', closed, { once: true, signal: this.#over.signal });
    if (connection.closed.aborted) queueMicrotask(closed);
    else this.#step({ type: 'jobOpened' });
  }

  push(block: Block): void {
    if (this.#over.signal.aborted) return;
    const { count, first } = block;
    this.#blocks.set(first, block);
    this.#step({ type: 'blockPushed', first, count });
  }

  endInput(): void {
    this.#step({ type: 'inputEnded' });
  }

  /** The consumer has taken the first `position` outcomes. */
  take(position: number): void {
    this.#step({ type: 'outcomesTaken', position });
  }

  /**
   * Resolves when the coordinator has heard, or cannot hear, how far its outcomes were taken. Until then it keeps what
   * it believes to be wanted.
   */
  get told(): Promise<void> {
    return this.#lastWord;
  }

  /** Nobody waits for the job any more. */
  leave(): void {
    this.#step({ type: 'jobLeft' });
    this.#close();
  }

  #step(event: Happening, message?: Message): void {
    if (this.#over.signal.aborted) return;
    this.#waiting.push({ event, message });
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const stamped = { ...next.event, atMs: performance.now() } as ClientEvent;
        for (const command of this.#machine.step(stamped)) this.#carryOut(command, next.message);
      }
    } catch (error) {
      // It came from an event of a stream, where nobody would catch it: the program would end for one job's sake.
      this.#close();
      this.#parts.listener.broke(error);
    } finally {
      this.#stepping = false;
      this.#arm();
    }
  }

  #carryOut(command: ClientCommand, message: Message | undefined): void {
    const { listener } = this.#parts;
    switch (command.type) {
      case 'openReader':
        this.#openReader(command.call, command.fromPosition);
        return;
      case 'openWriter':
        this.#openWriter(command.call, command.firstIndex);
        return;
      case 'sendBlock': {
        const block = this.#blocks.get(command.first);
        if (block !== undefined) this.#writer?.stream.send(block);
        return;
      }
      case 'sendInputEnd':
        this.#writer?.stream.end(command.totalItems);
        return;
      case 'releaseBlocks':
        for (const first of this.#blocks.keys()) {
          if (first >= command.before) return;
          this.#blocks.delete(first);
        }
        return;
      case 'askInput':
        void this.#ask(command.call);
        return;
      case 'acknowledge':
        this.#lastWord = this.#acknowledge(command.call, command.position);
        return;
      case 'keepPart':
        if (message?.$case === 'batch') this.#outcomes.keepPart(message.value, command.at);
        return;
      case 'dropParts':
        this.#outcomes.dropParts();
        return;
      case 'deliver':
        if (message?.$case === 'batch') this.#outcomes.deliver(message.value, command.at);
        return;
      case 'passOn':
        if (message !== undefined) this.#outcomes.passOn(message);
        return;
      case 'dropCall':
        this.#drop(command.call);
        return;
      case 'tellReached':
        listener.reached(command.isReached);
        return;
      case 'finish':
        this.#close();
        if (message?.$case === 'ended') listener.ended(message.value);
        return;
      case 'giveUp':
        this.#close();
        if (command.why === 'pastDeadline') listener.late();
        else listener.lost(this.#errors.lossOf(command.call, command.why));
        return;
      default:
        command satisfies never;
    }
  }

  #openReader(number: CallNumber, fromPosition: number): void {
    const { connection, isWatched, jobId } = this.#parts;
    const clientSession = this.#session;
    const gatherMs = isWatched ? undefined : unwatchedGatherMs;
    const call = connection.jobs.readResults({
      jobId,
      fromPosition,
      clientSession,
      stream: number,
      gatherMs,
    });
    this.#reader = { number, call };
    call.on('data', ({ message }: ReadResultsResponse) => {
      if (message !== undefined) this.#received(number, message);
    });
    call.on('error', (error: ServiceError) => this.#failed(number, connection.errorOf(error)));
    call.on('end', () =>
      this.#failed(number, this.#errors.connectionLost('the stream of results ended early')),
    );
  }

  #received(call: CallNumber, message: Message): void {
    if (message.$case === 'batch') {
      const { outcomes, position } = message.value;
      this.#step({ type: 'batchReceived', call, position, outcomes: outcomes.map(outcomeShape) }, message);
    } else if (message.$case === 'ended') this.#step({ type: 'endReceived', call }, message);
    else this.#step({ type: 'messageReceived', call }, message);
  }

  #openWriter(number: CallNumber, firstIndex: number): void {
    const { connection, jobId } = this.#parts;
    const start = { jobId, firstIndex, clientSession: this.#session, stream: number };
    const stream = new ItemStream(connection, start, (error) => {
      if (error === undefined) this.#step({ type: 'itemsAnswered', call: number });
      else this.#failed(number, error);
    });
    this.#writer = { number, stream };
  }

  async #ask(call: CallNumber): Promise<void> {
    const { connection, jobId } = this.#parts;
    try {
      const { job } = await connection.once<GetJobResponse>((...tail) =>
        connection.jobs.getJob({ jobId }, ...tail),
      );
      if (job === undefined) throw new ShoalError('JOB_NOT_FOUND', { job: jobId });
      const { acceptedItems, inputEnded } = job;
      this.#step({ type: 'inputTold', call, acceptedItems, inputEnded });
    } catch (error) {
      this.#failed(call, error);
    }
  }

  async #acknowledge(call: CallNumber, position: number): Promise<void> {
    const { connection, jobId } = this.#parts;
    try {
      await connection.once<AcknowledgeResultsResponse>((...tail) =>
        connection.jobs.acknowledgeResults({ jobId, position, clientSession: this.#session }, ...tail),
      );
      this.#step({ type: 'acknowledgementAnswered', call });
    } catch (error) {
      this.#failed(call, error);
    }
  }

  #failed(call: CallNumber, error: unknown): void {
    if (this.#over.signal.aborted) return;
    const failure = this.#errors.keep(call, error);
    this.#step({ type: 'callFailed', call, failure });
  }

  #drop(number: CallNumber): void {
    if (this.#reader?.number === number) this.#reader.call.cancel();
    if (this.#writer?.number === number) this.#writer.stream.cancel();
  }

  #close(): void {
    this.#over.abort();
    clearTimeout(this.#timer);
    // Also where it is left in the middle of a step, whose other commands are not carried out any more.
    this.#reader?.call.cancel();
    this.#writer?.stream.cancel();
    this.#waiting.length = 0;
    this.#blocks.clear();
    this.#outcomes.dropParts();
  }

  /** Whoever waits for what is lost keeps the process alive; a stream that was dropped does not. */
  #arm(): void {
    clearTimeout(this.#timer);
    const atMs = this.#machine.nextDeadlineMs();
    if (atMs === undefined || this.#over.signal.aborted) return;
    // One that fires early finds nothing to do, and is set again.
    const delayMs = Math.min(timerMsMax, Math.max(0, Math.ceil(atMs - performance.now())));
    this.#timer = setTimeout(() => this.#step({ type: 'clockTicked' }), delayMs);
    this.#timer.unref();
  }
}
