import { type ClientCommand, type ClientEvent, ClientMachine } from '@shoal/client/core';
import { Alarm } from '../alarm.ts';
import type { Untimed } from '../child-host.ts';
import type { Host } from '../host.ts';
import type { AskDown, AskUp, CallError, OutcomeMessage } from '../messages.ts';
import type { JobPlan } from '../scenario.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import { Calls, type Reading } from './calls.ts';
import type { ClientHost } from './client-host.ts';
import { Consumer } from './consumer.ts';
import type { JobFate, Received } from './fate.ts';
import { Input } from './input.ts';
import { type Replacement, Successor } from './successor.ts';

type Happening = ClientEvent extends infer E ? (E extends ClientEvent ? Untimed<E> : never) : never;
type Hand = Reading | undefined;

const createAgainMs = 300;
const lateMs = 300;
/** How long a client bears with a coordinator that is out of reach. */
const reconnectTimeoutMs = 30_000;

/** One `map` call: the production client core, and a consumer that takes results at its own pace. */
export class ClientJob {
  readonly plan: JobPlan;
  fate: JobFate | undefined;
  /** As the coordinator calls it. */
  id: string | undefined;
  readonly #client: ClientHost;
  readonly #world: World;
  readonly #machine: ClientMachine;
  readonly #session: string;
  #events: { event: Happening; hand: Hand }[] = [];
  #isStepping = false;
  readonly #alarm: Alarm;
  readonly #calls: Calls;
  #createFailures = 0;
  readonly #input: Input;
  readonly #consumer: Consumer;
  #cancelled = false;
  /** Outcomes that its core has given. */
  #given = 0;
  /** Another process has its place: what comes of this one is nobody's business any more. */
  #isReplaced = false;
  /** The process with the core has ended, and another one has its place. */
  #isGone = false;
  #successor: Successor | undefined;
  /** When its deadline passes, on its own clock. */
  readonly #deadlineAtMs: number | undefined;
  /** When the coordinator was heard last, on its own clock. */
  #heardAtMs: number = Number.NEGATIVE_INFINITY;
  /** The stream of outcomes that is read. */
  #reader: number | undefined;
  /** When it broke, on its own clock, where none has brought anything since. */
  #brokeAtMs: number | undefined;

  constructor(plan: JobPlan, client: ClientHost, world: World) {
    this.plan = plan;
    this.#client = client;
    this.#world = world;
    this.#session = `${plan.name}-session`;
    if (plan.deadlineMs !== undefined) this.#deadlineAtMs = client.host.now() + plan.deadlineMs;
    this.#machine = new ClientMachine({
      windowItems: plan.windowItems,
      reconnectTimeoutMs,
      deadlineAtMs: this.#deadlineAtMs,
      seed: world.scenario.seed + Number(plan.name.slice('job-'.length)),
    });
    this.#alarm = new Alarm(client.host, () => this.#step({ type: 'clockTicked' }));
    this.#calls = new Calls(client, world, {
      read: (call, message) => this.#read(call, message),
      itemsAnswered: (call) => {
        this.#heard();
        this.#step({ type: 'itemsAnswered', call });
      },
      failed: (call, error) => this.#failed(call, error),
    });
    this.#input = new Input(plan, {
      blockPushed: (first, count) => this.#step({ type: 'blockPushed', first, count }),
      inputEnded: () => this.#step({ type: 'inputEnded' }),
    });
    this.#consumer = new Consumer(plan, client.host, world, {
      received: (received) => {
        this.gave(this.#given, received);
        this.#given += 1;
      },
      took: (position) => this.#step({ type: 'outcomesTaken', position }),
    });
    this.#create();
    if (plan.cancelAtMs !== undefined) {
      world.clock.at(plan.cancelAtMs, () => this.#client.host.do(() => this.cancel()));
    }
  }

  get #host(): Host {
    return this.#client.host;
  }

  /** Outcomes that the user has got, from whichever process. */
  readonly received: Received[] = [];

  /** Outcomes that the consumer has taken. */
  get taken(): number {
    return this.#consumer.taken;
  }

  /** The user wants the rest no more. */
  cancel(): void {
    if (this.fate !== undefined || this.#cancelled) return;
    this.#cancelled = true;
    this.#world.oracle.jobs.cancelAsked(this.plan.name);
    this.#sendCancel();
  }

  /** An outcome comes at a position: the first time, or the same once more where two processes read. */
  gave(position: number, received: Received): void {
    if (this.fate !== undefined && position < this.received.length) return;
    const before = this.received[position];
    if (before === undefined) {
      this.received.push(received);
      this.#world.oracle.deliveries.received(this, received);
      return;
    }
    must(
      textOf(before) === textOf(received),
      'G3',
      () => `${this.plan.name} gave ${textOf(before)} at ${position}, and then ${textOf(received)}`,
      { job: this.plan.name, index: received.index },
    );
  }

  /** Another process takes its place. */
  replace({ afterMs, from, livesOn }: Replacement): void {
    const { id } = this;
    if (id === undefined || this.fate !== undefined || this.#isReplaced) return;
    this.#isReplaced = true;
    const { taken } = this;
    if (!livesOn) {
      this.#isGone = true;
      this.#alarm.cancel();
      this.#calls.vanish(false);
    }
    this.#host.after(afterMs, () => {
      if (this.fate !== undefined) return;
      this.#successor = new Successor(this, this.#client, this.#world, {
        id,
        position: from === 'start' ? 0 : taken,
      });
    });
    // What the first process said last comes late.
    this.#host.after(afterMs + lateMs, () => {
      if (this.fate !== undefined || this.taken === 0) return;
      const ask: AskUp = { kind: 'acknowledge', job: id, session: this.#session, position: this.taken };
      this.#calls.ask(ask, () => {});
    });
  }

  /** Its process is gone. */
  vanish(silent: boolean): void {
    this.fate ??= { kind: 'left' };
    this.#successor?.vanish(silent);
    this.#calls.vanish(silent);
  }

  #sendCancel(): void {
    const { id } = this;
    if (id === undefined || this.fate !== undefined) return;
    this.#calls.ask({ kind: 'cancel', job: id, reason: 'the user asked for it' }, (answer) => {
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
      this.#heardAtMs = this.#host.now();
      this.#step({ type: 'jobOpened' });
      if (this.plan.items === 0) this.#input.end();
      if (this.#cancelled) this.#sendCancel();
    };
    this.#calls.ask(ask, answered);
    if (this.#world.asksTwice()) this.#calls.ask(ask, answered);
  }

  // -- the client's core -----------------------------------------------------------------------------------------

  #step(event: Happening, hand?: Hand): void {
    if (this.fate !== undefined || this.#isGone) return;
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
      if (this.fate !== undefined || this.#isGone) return;
    }
    this.#isStepping = false;
    this.#alarm.set(this.#machine.nextDeadlineMs());
  }

  #carryOut(command: ClientCommand, hand: Hand): void {
    switch (command.type) {
      case 'openReader':
        this.#reader = command.call;
        this.#calls.openReader(command.call, {
          job: this.id ?? '',
          session: this.#session,
          stream: command.call,
          fromPosition: command.fromPosition,
        });
        return;
      case 'openWriter':
        this.#calls.openWriter(command.call, {
          kind: 'start',
          job: this.id ?? '',
          session: this.#session,
          stream: command.call,
          firstIndex: command.firstIndex,
        });
        return;
      case 'sendBlock': {
        const block = this.#input.find(command.first);
        must(block !== undefined, 'structure', () => `${this.plan.name} sends a block that it has released`);
        if (block !== undefined) this.#calls.write(command.call, { kind: 'block', block });
        return;
      }
      case 'sendInputEnd':
        this.#calls.write(command.call, { kind: 'endOfInput', totalItems: command.totalItems });
        return;
      case 'releaseBlocks':
        this.#input.release(command.before);
        return;
      case 'askInput': {
        const { call } = command;
        this.#calls.ask({ kind: 'getJob', job: this.id ?? '' }, (answer) => {
          if (answer?.kind === 'input') {
            this.#heard();
            const { acceptedItems, inputEnded } = answer;
            this.#step({ type: 'inputTold', call, acceptedItems, inputEnded });
          } else this.#failed(call, answer?.kind === 'failed' ? answer.error : undefined);
        });
        return;
      }
      case 'acknowledge': {
        const { call, position } = command;
        const ask: AskUp = { kind: 'acknowledge', job: this.id ?? '', session: this.#session, position };
        this.#calls.ask(ask, (answer) => {
          if (answer?.kind === 'done') {
            this.#heard();
            this.#step({ type: 'acknowledgementAnswered', call });
          } else this.#failed(call, answer?.kind === 'failed' ? answer.error : undefined);
        });
        return;
      }
      case 'keepPart': {
        const part = outcomeAt(hand, command.at);
        if (part?.kind === 'run') this.#consumer.keepPart(part.bytes);
        return;
      }
      case 'dropParts':
        this.#consumer.dropParts();
        return;
      case 'deliver': {
        const outcome = outcomeAt(hand, command.at);
        if (outcome !== undefined) this.#consumer.deliver(outcome);
        return;
      }
      case 'passOn':
        if (hand?.kind === 'granted') this.#input.granted(hand.upTo);
        return;
      case 'dropCall':
        this.#calls.drop(command.call);
        return;
      case 'tellReached':
        return;
      case 'finish':
        if (hand?.kind === 'ended') {
          this.#finish({ kind: 'ended', state: hand.state, failedIndex: hand.failedIndex });
        }
        return;
      case 'giveUp':
        if (command.why === 'pastDeadline') this.#pastDeadline();
        this.#finish({ kind: 'lost', why: command.why });
        return;
      default:
        command satisfies never;
    }
  }

  /** The coordinator is there: up to now it was not, and a client does not wait for it beyond its deadline. */
  #heard(): void {
    this.#checkDeadline();
    this.#heardAtMs = this.#host.now();
  }

  #checkDeadline(): void {
    if (this.#deadlineAtMs === undefined || this.fate !== undefined || this.#isReplaced) return;
    const sinceMs = Math.max(this.#deadlineAtMs, this.#heardAtMs, this.#host.wokeAtMs);
    this.#world.oracle.liveness.waited(this.plan, this.#host.now() - sinceMs);
  }

  #read(call: number, message: Reading): void {
    this.#heard();
    this.#brokeAtMs = undefined;
    switch (message.kind) {
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

  #failed(call: number, error: CallError | undefined): void {
    const failure =
      error === undefined
        ? ({ kind: 'lostOnTheWay' } as const)
        : error.code === 'ITEMS_OUT_OF_STEP'
          ? ({ kind: 'outOfStep', next: error.next ?? 0 } as const)
          : error.code === 'JOB_NOT_FOUND'
            ? ({ kind: 'unknownJob' } as const)
            : ({ kind: 'final' } as const);
    if (call === this.#reader) this.#brokeAtMs ??= this.#host.now();
    this.#step({ type: 'callFailed', call, failure });
  }

  #pastDeadline(): void {
    const deadlineAtMs = this.#deadlineAtMs ?? Infinity;
    const nowMs = this.#host.now();
    // It is listened for from the deadline on; where the stream broke before that, from then on.
    const sinceMs = Math.max(this.#heardAtMs, Math.min(this.#brokeAtMs ?? Infinity, deadlineAtMs));
    this.#world.oracle.liveness.gaveUp(this.plan, deadlineAtMs - nowMs, nowMs - sinceMs);
  }

  #finish(fate: JobFate): void {
    if (this.fate !== undefined) return;
    if (this.#isReplaced) {
      // The first process has come to its end; the job has not.
      this.#isGone = true;
      this.#alarm.cancel();
      this.#calls.finish();
      return;
    }
    this.settle(fate);
  }

  /** The job is over for its user. */
  settle(fate: JobFate): void {
    if (this.fate !== undefined) return;
    this.#checkDeadline();
    this.fate = fate;
    this.#alarm.cancel();
    this.#world.oracle.jobs.finished(this, fate);
    this.#calls.finish();
  }
}

function textOf(received: Received): string {
  return 'failure' in received
    ? `${received.index}: ${received.failure.kind}`
    : `${received.index}: value of call ${received.execution}`;
}

function outcomeAt(hand: Hand, at: number): OutcomeMessage | undefined {
  return hand?.kind === 'batch' ? hand.outcomes[at] : undefined;
}
