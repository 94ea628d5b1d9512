import { type AgentCommand, type AgentEvent, AgentMachine } from '@shoal/node-agent/core';
import { Alarm } from '../alarm.ts';
import type { Untimed } from '../child-host.ts';
import type { Host } from '../host.ts';
import type { News } from '../messages.ts';
import type { World } from '../world.ts';

type Happening = AgentEvent extends infer E ? (E extends AgentEvent ? Untimed<E> : never) : never;

/** Carries out what the core wants; `inHand` is the news that its event brought. */
export type CarryOut = (command: AgentCommand, inHand: News | undefined) => void;

/** The production core of an agent: it hears of one thing after the other, each at its time. */
export class AgentCore {
  readonly #host: Host;
  readonly #world: World;
  readonly #carryOut: CarryOut;
  readonly #alarm: Alarm;
  #machine: AgentMachine;
  #events: { event: Happening; inHand: News | undefined }[] = [];
  #isStepping = false;
  #lives = 0;

  constructor(host: Host, world: World, carryOut: CarryOut) {
    this.#host = host;
    this.#world = world;
    this.#carryOut = carryOut;
    this.#alarm = new Alarm(host, () => this.step({ type: 'clockTicked' }));
    this.#machine = this.#newMachine();
  }

  get machine(): AgentMachine {
    return this.#machine;
  }

  /** A process begins: it knows nothing. */
  begin(): void {
    this.#lives += 1;
    this.#machine = this.#newMachine();
  }

  step(event: Happening, inHand?: News): void {
    this.#events.push({ event, inHand });
    if (this.#isStepping) return;
    this.#isStepping = true;
    const { life, name } = this.#host;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const stamped = { ...next.event, atMs: this.#host.now() } as AgentEvent;
      this.#world.saw(name, stamped.type, stamped);
      for (const command of this.#machine.step(stamped)) {
        this.#world.ordered(name, command);
        this.#carryOut(command, next.inHand);
        if (this.#host.life !== life) return;
      }
    }
    this.#isStepping = false;
    this.#alarm.set(this.#machine.nextDeadlineMs());
  }

  crash(): void {
    this.#events = [];
    this.#isStepping = false;
    this.#alarm.forget();
  }

  #newMachine(): AgentMachine {
    const { name } = this.#host;
    return new AgentMachine({
      instance: `${name}#${this.#lives}`,
      seed: this.#world.scenario.seed + 31 * this.#lives + name.length * 7 + Number(name.split('-')[1] ?? 0),
      limits: { messageBytes: 64, outboxBytes: 4_096 },
    });
  }
}
