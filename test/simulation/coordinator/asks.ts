import type { AskDown, AskUp } from '../messages.ts';
import { type Listener, listening, type Stream } from '../network.ts';
import type { World } from '../world.ts';
import type { CoordinatorCore } from './core.ts';

/** Calls of clients that have one answer. */
export class Asks {
  readonly listener: Listener<AskUp, AskDown>;
  readonly #core: CoordinatorCore;
  readonly #world: World;
  readonly #asks = new Map<number, Stream<AskUp, AskDown>>();
  /** The request of a call that creates a job. */
  readonly #requests = new Map<number, string>();
  readonly #deadlines = new Map<string, number>();
  /** Calls that say that outcomes are needed no more. */
  readonly #acknowledgements = new Map<number, { readonly job: string; readonly session: string }>();
  #lastJob = 0;

  constructor(core: CoordinatorCore, world: World) {
    this.#core = core;
    this.#world = world;
    this.listener = listening(core.host, (stream) => {
      let call = 0;
      return {
        received: (message) => {
          call = core.nextCall();
          this.#asks.set(call, stream);
          this.#asked(call, message);
        },
        closed: () => void this.#asks.delete(call),
      };
    });
  }

  /** On the coordinator's own clock. */
  deadlineOf(job: string): number | undefined {
    return this.#deadlines.get(job);
  }

  /** The name of the job that a call wants to be created. */
  requestOf(call: number): string {
    return this.#requests.get(call) ?? '';
  }

  answer(call: number, answer: AskDown): void {
    const stream = this.#asks.get(call);
    this.#asks.delete(call);
    const told = this.#acknowledgements.get(call);
    this.#acknowledgements.delete(call);
    if (told !== undefined && answer.kind === 'done') {
      this.#world.oracle.reads.acknowledged(told.job, told.session);
    }
    stream?.sendDown(answer);
    stream?.closeFar();
  }

  crash(): void {
    for (const stream of this.#asks.values()) stream.closeFar();
  }

  restart(): void {
    this.#asks.clear();
    this.#requests.clear();
    this.#acknowledgements.clear();
  }

  #asked(call: number, ask: AskUp): void {
    switch (ask.kind) {
      case 'create': {
        this.#lastJob += 1;
        this.#requests.set(call, ask.name);
        const { epoch, host } = this.#core;
        const { name, requestId } = ask;
        const job = `${name}@${epoch}.${this.#lastJob}`;
        const spec = this.#world.specOf(name, host.now());
        if (spec.deadlineAtMs !== undefined) this.#deadlines.set(job, spec.deadlineAtMs);
        this.#core.step({ type: 'jobRequested', call, job, requestId, fingerprint: name, spec });
        this.#requests.delete(call);
        return;
      }
      case 'acknowledge': {
        const { job, session, position } = ask;
        this.#acknowledgements.set(call, { job, session });
        this.#core.step({ type: 'acknowledgementReceived', call, job, session, position });
        return;
      }
      case 'cancel':
        this.#core.step({ type: 'cancelReceived', call, job: ask.job, reason: ask.reason });
        return;
      case 'getJob': {
        const view = this.#core.machine.job(ask.job);
        if (view === undefined) this.answer(call, { kind: 'failed', error: { code: 'JOB_NOT_FOUND' } });
        else this.answer(call, { kind: 'input', acceptedItems: view.pushed, inputEnded: view.inputEnded });
        return;
      }
    }
  }
}
