import { type CoordinatorCommand, type CoordinatorEvent, CoordinatorMachine } from '@shoal/coordinator/core';
import type { ResultBytes } from '@shoal/scheduler';
import { Alarm } from '../alarm.ts';
import type { Untimed } from '../child-host.ts';
import type { TriedItem } from '../execution.ts';
import type { Host } from '../host.ts';
import type { Bytes } from '../messages.ts';
import type { World } from '../world.ts';

type Happening = CoordinatorEvent extends infer E ? (E extends CoordinatorEvent ? Untimed<E> : never) : never;

/** The bytes of an event. */
export interface Hand {
  readonly run?: ResultBytes;
  readonly tried?: TriedItem;
  readonly block?: Bytes;
}

/** What is made of the core's steps. */
export interface Driver {
  carryOut(command: CoordinatorCommand, hand: Hand): void;
  stepped(): void;
}

/** The production core of a coordinator: it hears of one thing after the other, each at its time. */
export class CoordinatorCore {
  readonly host: Host;
  epoch = 0;
  /** The highest epoch that any of them had. */
  #epochs = 0;
  #pasts = 0;
  readonly #world: World;
  readonly #driver: Driver;
  readonly #alarm: Alarm;
  #machine: CoordinatorMachine;
  #lastCall = 0;
  #events: { event: Happening; hand: Hand }[] = [];
  #isStepping = false;

  constructor(host: Host, world: World, driver: Driver) {
    this.host = host;
    this.#world = world;
    this.#driver = driver;
    this.#alarm = new Alarm(host, () => this.step({ type: 'clockTicked' }));
    this.#machine = this.#newMachine();
  }

  get machine(): CoordinatorMachine {
    return this.#machine;
  }

  /**
   * Whether a guess is a reason to let work wait, and what comes in one moment is handed out together: so it is in half of the
   * worlds, for the core does not depend on either.
   */
  get isHasty(): boolean {
    return this.#world.scenario.seed % 2 === 1;
  }

  /** A number for a call of a client, which the core knows it by. */
  nextCall(): number {
    this.#lastCall += 1;
    return this.#lastCall;
  }

  /** Something happens; `hand` is what the core has no use for, and its commands are about. */
  step(event: Happening, hand: Hand = {}): void {
    this.#events.push({ event, hand });
    if (this.#isStepping) return;
    this.#isStepping = true;
    const { life } = this.host;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const stamped = { ...next.event, atMs: this.host.now() } as CoordinatorEvent;
      this.#world.saw('coordinator', stamped.type, stamped);
      this.#world.oracle.coordinatorHears(stamped, this.epoch);
      for (const command of this.#machine.step(stamped)) {
        this.#world.ordered('coordinator', command);
        this.#world.oracle.coordinatorSays(command, stamped.atMs);
        this.#driver.carryOut(command, next.hand);
      }
      this.#driver.stepped();
      if (this.host.life !== life) return;
    }
    this.#isStepping = false;
    this.#alarm.set(this.#machine.nextDeadlineMs());
  }

  /** Its process is gone. */
  crash(): void {
    this.#alarm.forget();
  }

  /** It knows nothing, and is in its next epoch; or in one before the first, as after a clock that was set back. */
  restart(isPast: boolean): void {
    this.#machine = this.#newMachine(isPast);
    this.#events = [];
    this.#isStepping = false;
  }

  #newMachine(isPast = false): CoordinatorMachine {
    if (isPast) this.#pasts += 1;
    else this.#epochs += 1;
    this.epoch = isPast ? this.#pasts / 1_000 : this.#epochs;
    const { graceMs, seed } = this.#world.scenario;
    const guessing = this.isHasty ? {} : { guessedMsMax: 0 };
    const options = { seed: seed % 2 ** 31, ...guessing };
    return new CoordinatorMachine({ epoch: this.epoch, maxJobs: 1_000, graceMs }, options);
  }
}
