import type { Host } from '../host.ts';
import type { OutcomeMessage } from '../messages.ts';
import type { JobPlan } from '../scenario.ts';
import type { World } from '../world.ts';
import type { Received } from './fate.ts';

/** What comes of a consumer. */
export interface ConsumerEnd {
  /** There is an outcome for the user. */
  received(received: Received): void;
  /** The user has taken so many. */
  took(position: number): void;
}

/** The user's loop over the outcomes of a job, which takes them at its own pace. */
export class Consumer {
  /** Outcomes that are here. */
  #here = 0;
  readonly #plan: JobPlan;
  readonly #host: Host;
  readonly #world: World;
  readonly #user: ConsumerEnd;
  /** Parts of a run that wait for its last one. */
  #parts: Uint8Array[] = [];
  #taken = 0;
  #isTaking = false;

  constructor(plan: JobPlan, host: Host, world: World, user: ConsumerEnd) {
    this.#plan = plan;
    this.#host = host;
    this.#world = world;
    this.#user = user;
  }

  /** Outcomes that were taken. */
  get taken(): number {
    return this.#taken;
  }

  keepPart(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  dropParts(): void {
    this.#parts = [];
  }

  deliver(outcome: OutcomeMessage): void {
    if (outcome.kind === 'failure') this.#receive({ index: outcome.index, failure: outcome.failure });
    else {
      const whole = this.#parts.length === 0 ? outcome.bytes : Buffer.concat([...this.#parts, outcome.bytes]);
      this.#parts = [];
      const bytes = new Uint8Array(whole);
      const values = new Uint32Array(bytes.buffer, outcome.skip, outcome.count);
      for (let at = 0; at < outcome.count; at += 1) {
        this.#receive({ index: outcome.first + at, execution: values[at] as number });
      }
    }
    this.#takeSoon();
  }

  #receive(received: Received): void {
    this.#here += 1;
    this.#user.received(received);
  }

  #takeSoon(): void {
    if (this.#isTaking || this.#taken >= this.#here) return;
    this.#isTaking = true;
    const { itemMs, pauseAtMs = 0, pauseMs = 0 } = this.#plan.consumer;
    const { nowMs } = this.#world.clock;
    const isPaused = nowMs >= pauseAtMs && nowMs < pauseAtMs + pauseMs;
    const waitMs = isPaused ? pauseAtMs + pauseMs - nowMs : itemMs;
    this.#host.after(waitMs, () => {
      this.#isTaking = false;
      // Quick consumers take what is there, slow ones one at a time.
      this.#taken = itemMs < 1 ? this.#here : this.#taken + 1;
      this.#user.took(this.#taken);
      this.#takeSoon();
    });
  }
}
