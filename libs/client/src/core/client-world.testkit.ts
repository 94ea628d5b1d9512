import type { ClientCommand } from './client-command.ts';
import type { CallFailure, ClientEvent, OutcomeShape } from './client-event.ts';
import type { ClientLimits } from './client-limits.ts';
import { ClientMachine } from './client-machine.ts';

type Happening<E = ClientEvent> = E extends ClientEvent ? Omit<E, 'atMs'> : never;
const lost: CallFailure = { kind: 'lostOnTheWay' };
export const run = (first: number, count: number, more = false): OutcomeShape => ({
  kind: 'run',
  first,
  count,
  more,
});

/** A client's core in virtual time. The calls that it opens are numbered from 1: the reader, then the writer. */
export class ClientWorld {
  readonly machine: ClientMachine;
  nowMs = 0;

  constructor(limits: Partial<ClientLimits> = {}) {
    this.machine = new ClientMachine({ windowItems: 100, reconnectTimeoutMs: 10_000, seed: 1, ...limits });
  }

  do(event: Happening): ClientCommand[] {
    return this.machine.step({ ...event, atMs: this.nowMs } as ClientEvent);
  }

  push(first: number, count: number): ClientCommand[] {
    return this.do({ type: 'blockPushed', first, count });
  }

  batch(call: number, position: number, ...outcomes: OutcomeShape[]): ClientCommand[] {
    return this.do({ type: 'batchReceived', call, position, outcomes });
  }

  fails(call: number, failure: CallFailure = lost): ClientCommand[] {
    return this.do({ type: 'callFailed', call, failure });
  }

  /** Until something is due, at most so long. */
  wait(ms = 60_000): ClientCommand[] {
    const due = this.machine.nextDeadlineMs();
    if (due === undefined || due > this.nowMs + ms) {
      this.nowMs += ms;
      return [];
    }
    this.nowMs = due;
    return this.do({ type: 'clockTicked' });
  }
}

/** The reader is call 1; with items pushed, the writer is call 2. */
export function opened(
  blocks: readonly [number, number][] = [],
  limits: Partial<ClientLimits> = {},
): ClientWorld {
  const world = new ClientWorld(limits);
  world.do({ type: 'jobOpened' });
  for (const [first, count] of blocks) world.push(first, count);
  return world;
}
