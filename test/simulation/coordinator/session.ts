import type { Host } from '../host.ts';
import type { ControlDown, ControlUp, DataDown, DataUp, Handover, Report } from '../messages.ts';
import type { Stream } from '../network.ts';

/** Whose session it is. */
export interface SessionOf {
  readonly id: number;
  readonly agent: string;
  readonly instance: string;
}

/** The streams of an agent that has joined, and what waits to be sent on them at the end of this turn. */
export class Session {
  readonly id: number;
  readonly agent: string;
  readonly instance: string;
  readonly control: Stream<ControlUp, ControlDown>;
  data: Stream<DataUp, DataDown> | undefined;
  isLeaving = false;
  isOver = false;
  readonly #host: Host;
  #taken = 0;
  #setups: string[] = [];
  #handovers: Handover[] = [];
  #forgotten: string[] = [];
  #isSending = false;
  /** Jobs that the agent knows. */
  readonly #told: Set<string> = new Set();
  /** By attempt: runs of which the last part is not here. */
  readonly #parts: Map<number, Uint8Array[]> = new Map();

  constructor({ id, agent, instance }: SessionOf, control: Stream<ControlUp, ControlDown>, host: Host) {
    this.id = id;
    this.agent = agent;
    this.instance = instance;
    this.control = control;
    this.#host = host;
  }

  /** Sends work, and before it its job if the agent does not know that. */
  handOver(handover: Handover): void {
    const { job } = handover;
    if (!this.#told.has(job)) {
      this.#told.add(job);
      this.#setups.push(job);
    }
    this.#handovers.push(handover);
    this.sendSoon();
  }

  /** The job is over. */
  forget(job: string): void {
    if (!this.#told.delete(job)) return;
    this.#forgotten.push(job);
    this.sendSoon();
  }

  /** All news up to this batch is here. */
  took(sequence: number): void {
    this.#taken = Math.max(this.#taken, sequence);
    this.sendSoon();
  }

  /** The bytes of a run, once its last part is here. */
  wholeBytes({ attempt, news, fromByte, toByte, more }: Report): Uint8Array | undefined {
    if (news.kind !== 'run') return undefined;
    const known = this.#parts.get(attempt);
    if (known === undefined && !more) return news.bytes;
    const parts = known ?? [];
    parts.push(news.bytes.subarray(fromByte, toByte));
    this.#parts.set(attempt, parts);
    if (more) return undefined;
    this.#parts.delete(attempt);
    return new Uint8Array(Buffer.concat(parts));
  }

  dropParts(attempt: number): void {
    this.#parts.delete(attempt);
  }

  sendSoon(): void {
    if (this.#isSending || this.data === undefined) return;
    this.#isSending = true;
    this.#host.after(0, () => {
      this.#isSending = false;
      this.send();
    });
  }

  send(): void {
    const { data } = this;
    const taken = this.#taken;
    const setups = this.#setups;
    const handovers = this.#handovers;
    const forgotten = this.#forgotten;
    if (data === undefined || (taken === 0 && setups.length + handovers.length + forgotten.length === 0))
      return;
    this.#taken = 0;
    this.#setups = [];
    this.#handovers = [];
    this.#forgotten = [];
    // An announcement that is lost alone would leave the agent without a job that it is taken to know.
    const bearing = setups.length + forgotten.length > 0 ? 'strict' : taken > 0 ? 'ordered' : 'loose';
    data.sendDown({ kind: 'work', taken, setups, handovers, forgotten }, bearing);
  }

  close(): void {
    this.control.closeFar();
    this.data?.closeFar();
  }
}
