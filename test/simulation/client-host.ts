import { type ClientCommand, type ClientEvent, ClientMachine } from '@shoal/client/core';
import type { Untimed } from './child-host.ts';
import type { Due } from './clock.ts';
import { Host } from './host.ts';
import { encoded } from './item-block.ts';
import type {
  AskDown,
  AskUp,
  Bytes,
  CallError,
  OutcomeMessage,
  ReadDown,
  ReadUp,
  StoredFailure,
  WriteDown,
  WriteUp,
} from './messages.ts';
import { type Link, Link as NetworkLink, type Stream } from './network.ts';
import type { ClientPlan, JobPlan } from './scenario.ts';
import { must } from './violation.ts';
import type { World } from './world.ts';

type Happening = ClientEvent extends infer E ? (E extends ClientEvent ? Untimed<E> : never) : never;
type Hand = Exclude<ReadDown, { kind: 'failed' }> | undefined;

/** An outcome as the user gets it. */
export type Received =
  | { readonly index: number; readonly execution: number }
  | { readonly index: number; readonly failure: StoredFailure };

/** How a job ended for the one who asked for it. */
export type JobFate =
  | { readonly kind: 'ended'; readonly state: string; readonly failedIndex: number | undefined }
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'left' };

const createAgainMs = 300;
/** How long a client bears with a coordinator that is out of reach. */
const reconnectTimeoutMs = 30_000;

/** A machine with a client on it, which has one job or several. */
export class ClientHost {
  readonly plan: ClientPlan;
  readonly host: Host;
  readonly link: Link;
  readonly jobs: ClientJob[] = [];
  readonly #world: World;

  constructor(plan: ClientPlan, world: World) {
    this.plan = plan;
    this.#world = world;
    this.host = new Host(plan.name, world.clock, plan.clockOffsetMs);
    this.link = new NetworkLink(plan.name, plan.latencyMs);
  }

  submit(plan: JobPlan): ClientJob {
    const job = new ClientJob(plan, this, this.#world);
    this.jobs.push(job);
    return job;
  }

  /** It is gone for good, with all that it wanted. */
  crash(): void {
    for (const job of this.jobs) job.vanish();
    this.host.die();
  }
}

/** One `map` call: the production client core, and a consumer that takes results at its own pace. */
export class ClientJob {
  readonly plan: JobPlan;
  readonly received: Received[] = [];
  fate: JobFate | undefined;
  /** As the coordinator calls it. */
  id: string | undefined;
  readonly #client: ClientHost;
  readonly #world: World;
  readonly #machine: ClientMachine;
  readonly #session: string;
  #events: { event: Happening; hand: Hand }[] = [];
  #isStepping = false;
  #timer: Due | undefined;
  #timerMs: number | undefined;
  readonly #readers = new Map<number, Stream<ReadUp, ReadDown>>();
  readonly #writers = new Map<number, Stream<WriteUp, WriteDown>>();
  readonly #asks = new Set<Stream<AskUp, AskDown>>();
  #createFailures = 0;
  #blocks = new Map<number, Bytes>();
  #pushed = 0;
  #inputEnded = false;
  /** Parts of a run that wait for its last one. */
  #parts: Uint8Array[] = [];
  #taken = 0;
  #isTaking = false;
  #cancelled = false;

  constructor(plan: JobPlan, client: ClientHost, world: World) {
    this.plan = plan;
    this.#client = client;
    this.#world = world;
    this.#session = `${plan.name}-session`;
    this.#machine = new ClientMachine({
      windowItems: plan.windowItems,
      reconnectTimeoutMs,
      seed: world.scenario.seed + Number(plan.name.slice('job-'.length)),
    });
    this.#create();
    if (plan.cancelAtMs !== undefined) {
      world.clock.at(plan.cancelAtMs, () => this.#client.host.do(() => this.cancel()));
    }
  }

  get #host(): Host {
    return this.#client.host;
  }

  /** Outcomes that the consumer has taken. */
  get taken(): number {
    return this.#taken;
  }

  /** The user wants the rest no more. */
  cancel(): void {
    if (this.fate !== undefined || this.#cancelled) return;
    this.#cancelled = true;
    this.#world.oracle.jobs.cancelAsked(this.plan.name);
    this.#sendCancel();
  }

  /** Its process is gone. */
  vanish(): void {
    this.fate ??= { kind: 'left' };
    for (const stream of [...this.#readers.values(), ...this.#writers.values(), ...this.#asks]) {
      stream.closeNear();
    }
  }

  #sendCancel(): void {
    const { id } = this;
    if (id === undefined || this.fate !== undefined) return;
    this.#ask({ kind: 'cancel', job: id, reason: 'the user asked for it' }, (answer) => {
      if (answer === undefined) this.#host.after(createAgainMs, () => this.#sendCancel());
    });
  }

  // -- creation --------------------------------------------------------------------------------------------------

  /** The request id makes it harmless to ask again, after a lost answer or out of sheer impatience. */
  #create(): void {
    const { name } = this.plan;
    const ask: AskUp = { kind: 'create', requestId: `request-${name}`, name };
    const answered = (answer: AskDown | undefined): void => {
      if (this.id !== undefined || this.fate !== undefined) {
        if (answer?.kind === 'created') this.#world.oracle.jobs.createdAgain(this, answer.job);
        return;
      }
      if (answer === undefined) {
        this.#createFailures += 1;
        if (this.#createFailures > 200) this.#finish({ kind: 'lost', why: 'cannotConnect' });
        else this.#host.after(createAgainMs, () => this.#create());
        return;
      }
      if (answer.kind !== 'created') {
        this.#finish({ kind: 'lost', why: answer.kind === 'failed' ? answer.error.code : 'noAnswer' });
        return;
      }
      this.id = answer.job;
      this.#step({ type: 'jobOpened' });
      if (this.plan.items === 0) this.#endInput();
      if (this.#cancelled) this.#sendCancel();
    };
    this.#ask(ask, answered);
    if (this.#world.asksTwice()) this.#ask(ask, answered);
  }

  #ask(ask: AskUp, answered: (answer: AskDown | undefined) => void): void {
    const { network, coordinator } = this.#world;
    let isOpen = true;
    const stream = network.open<AskUp, AskDown>(
      this.#client.link,
      {
        host: this.#host,
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

  // -- the client's core -----------------------------------------------------------------------------------------

  #step(event: Happening, hand?: Hand): void {
    if (this.fate !== undefined) return;
    this.#events.push({ event, hand });
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const stamped = { ...next.event, atMs: this.#host.now() } as ClientEvent;
      this.#world.saw(this.plan.name, stamped.type, stamped);
      for (const command of this.#machine.step(stamped)) {
        this.#world.ordered(this.plan.name, command);
        this.#carryOut(command, next.hand);
      }
      if (this.fate !== undefined) return;
    }
    this.#isStepping = false;
    this.#arm();
  }

  #arm(): void {
    const dueMs = this.#machine.nextDeadlineMs();
    if (dueMs === this.#timerMs && this.#timer?.cancelled === false) return;
    if (this.#timer !== undefined) this.#timer.cancelled = true;
    this.#timerMs = dueMs;
    this.#timer = undefined;
    if (dueMs === undefined) return;
    this.#timer = this.#host.at(dueMs, () => {
      this.#timer = undefined;
      this.#timerMs = undefined;
      this.#step({ type: 'clockTicked' });
    });
  }

  #carryOut(command: ClientCommand, hand: Hand): void {
    switch (command.type) {
      case 'openReader':
        this.#openReader(command.call, command.fromPosition);
        return;
      case 'openWriter':
        this.#openWriter(command.call, command.firstIndex);
        return;
      case 'sendBlock': {
        const block = this.#blocks.get(command.first);
        must(block !== undefined, 'structure', () => `${this.plan.name} sends a block that it has released`);
        if (block !== undefined) this.#writers.get(command.call)?.sendUp({ kind: 'block', block });
        return;
      }
      case 'sendInputEnd':
        this.#writers.get(command.call)?.sendUp({ kind: 'endOfInput', totalItems: command.totalItems });
        return;
      case 'releaseBlocks':
        for (const first of this.#blocks.keys()) if (first < command.before) this.#blocks.delete(first);
        return;
      case 'askInput': {
        const { call } = command;
        this.#ask({ kind: 'getJob', job: this.id ?? '' }, (answer) => {
          if (answer?.kind === 'input') {
            const { acceptedItems, inputEnded } = answer;
            this.#step({ type: 'inputTold', call, acceptedItems, inputEnded });
          } else this.#failed(call, answer?.kind === 'failed' ? answer.error : undefined);
        });
        return;
      }
      case 'acknowledge': {
        const { call, position } = command;
        const ask: AskUp = { kind: 'acknowledge', job: this.id ?? '', session: this.#session, position };
        this.#ask(ask, (answer) => {
          if (answer?.kind === 'done') this.#step({ type: 'acknowledgementAnswered', call });
          else this.#failed(call, answer?.kind === 'failed' ? answer.error : undefined);
        });
        return;
      }
      case 'keepPart': {
        const part = outcomeAt(hand, command.at);
        if (part?.kind === 'run') this.#parts.push(part.bytes);
        return;
      }
      case 'dropParts':
        this.#parts = [];
        return;
      case 'deliver':
        this.#deliver(outcomeAt(hand, command.at));
        return;
      case 'passOn':
        if (hand?.kind === 'granted') this.#granted(hand.upTo);
        return;
      case 'dropCall':
        this.#drop(command.call);
        return;
      case 'tellReached':
        return;
      case 'finish':
        if (hand?.kind === 'ended') {
          this.#finish({ kind: 'ended', state: hand.state, failedIndex: hand.failedIndex });
        }
        return;
      case 'giveUp':
        this.#finish({ kind: 'lost', why: command.why });
        return;
      default:
        command satisfies never;
    }
  }

  #openReader(call: number, fromPosition: number): void {
    const stream = this.#world.network.open<ReadUp, ReadDown>(
      this.#client.link,
      {
        host: this.#host,
        received: (message) => this.#read(call, message),
        closed: () => {
          if (this.#readers.delete(call)) this.#failed(call, undefined);
        },
      },
      this.#world.coordinator.reads,
      'strict',
    );
    this.#readers.set(call, stream);
    stream.sendUp({ job: this.id ?? '', session: this.#session, fromPosition });
  }

  #read(call: number, message: ReadDown): void {
    if (!this.#readers.has(call)) return;
    switch (message.kind) {
      case 'failed':
        this.#readers.get(call)?.closeNear();
        this.#readers.delete(call);
        this.#failed(call, message.error);
        return;
      case 'batch': {
        const outcomes = message.outcomes.map((outcome) =>
          outcome.kind === 'failure'
            ? { kind: 'failure' as const, index: outcome.index }
            : {
                kind: 'run' as const,
                first: outcome.first,
                count: outcome.count,
                more: outcome.more,
              },
        );
        this.#step({ type: 'batchReceived', call, position: message.position, outcomes }, message);
        return;
      }
      case 'granted':
        this.#step({ type: 'messageReceived', call }, message);
        return;
      case 'ended':
        this.#step({ type: 'endReceived', call }, message);
        return;
    }
  }

  #openWriter(call: number, firstIndex: number): void {
    const stream = this.#world.network.open<WriteUp, WriteDown>(
      this.#client.link,
      {
        host: this.#host,
        received: (message) => {
          if (!this.#writers.delete(call)) return;
          stream.closeNear();
          if (message.kind === 'done') this.#step({ type: 'itemsAnswered', call });
          else this.#failed(call, message.error);
        },
        closed: () => {
          if (this.#writers.delete(call)) this.#failed(call, undefined);
        },
      },
      this.#world.coordinator.writes,
      'strict',
    );
    this.#writers.set(call, stream);
    stream.sendUp({ kind: 'start', job: this.id ?? '', session: this.#session, firstIndex });
  }

  #failed(call: number, error: CallError | undefined): void {
    const failure =
      error === undefined
        ? ({ kind: 'lostOnTheWay' } as const)
        : error.code === 'ITEMS_OUT_OF_STEP'
          ? ({ kind: 'outOfStep', next: error.next ?? 0 } as const)
          : error.code === 'JOB_NOT_FOUND'
            ? ({ kind: 'unknownJob' } as const)
            : ({ kind: 'final' } as const);
    this.#step({ type: 'callFailed', call, failure });
  }

  #drop(call: number): void {
    const stream = this.#readers.get(call) ?? this.#writers.get(call);
    this.#readers.delete(call);
    this.#writers.delete(call);
    stream?.closeNear();
  }

  // -- the user --------------------------------------------------------------------------------------------------

  /** Items are made as far as they are granted, in blocks that may end beyond it. */
  #granted(upTo: number): void {
    const { items, blockItems, name } = this.plan;
    while (this.#pushed < Math.min(upTo, items)) {
      const first = this.#pushed;
      const count = Math.min(blockItems, items - first);
      this.#blocks.set(first, { first, count, bytes: encoded(name, first, count) });
      this.#pushed += count;
      this.#step({ type: 'blockPushed', first, count });
    }
    if (this.#pushed === items) this.#endInput();
  }

  #endInput(): void {
    if (this.#inputEnded) return;
    this.#inputEnded = true;
    this.#step({ type: 'inputEnded' });
  }

  #deliver(outcome: OutcomeMessage | undefined): void {
    if (outcome === undefined) return;
    if (outcome.kind === 'failure') this.#hand({ index: outcome.index, failure: outcome.failure });
    else {
      const whole = this.#parts.length === 0 ? outcome.bytes : Buffer.concat([...this.#parts, outcome.bytes]);
      this.#parts = [];
      const bytes = new Uint8Array(whole);
      const values = new Uint32Array(bytes.buffer, outcome.skip, outcome.count);
      for (let at = 0; at < outcome.count; at += 1) {
        this.#hand({ index: outcome.first + at, execution: values[at] as number });
      }
    }
    this.#takeSoon();
  }

  #hand(received: Received): void {
    this.received.push(received);
    this.#world.oracle.deliveries.received(this, received);
  }

  #takeSoon(): void {
    if (this.#isTaking || this.#taken >= this.received.length) return;
    this.#isTaking = true;
    const { itemMs, pauseAtMs = 0, pauseMs = 0 } = this.plan.consumer;
    const { nowMs } = this.#world.clock;
    const isPaused = nowMs >= pauseAtMs && nowMs < pauseAtMs + pauseMs;
    const waitMs = isPaused ? pauseAtMs + pauseMs - nowMs : itemMs;
    this.#host.after(waitMs, () => {
      this.#isTaking = false;
      // Quick consumers take what is there, slow ones one at a time.
      this.#taken = itemMs < 1 ? this.received.length : this.#taken + 1;
      this.#step({ type: 'outcomesTaken', position: this.#taken });
      this.#takeSoon();
    });
  }

  #finish(fate: JobFate): void {
    if (this.fate !== undefined) return;
    this.fate = fate;
    if (this.#timer !== undefined) this.#timer.cancelled = true;
    this.#world.oracle.jobs.finished(this, fate);
    for (const stream of [...this.#readers.values(), ...this.#writers.values()]) stream.closeNear();
    this.#readers.clear();
    this.#writers.clear();
  }
}

function outcomeAt(hand: Hand, at: number): OutcomeMessage | undefined {
  return hand?.kind === 'batch' ? hand.outcomes[at] : undefined;
}
