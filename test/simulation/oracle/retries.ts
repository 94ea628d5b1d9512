import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { JobBook } from './job-book.ts';
import type { Roster } from './roster.ts';

export type FailureKind = 'thrown' | 'crash' | 'timeout' | 'lost';

/** What is known of a try that gave no value. */
export interface Failed {
  /** Where its child died. */
  readonly agent?: string;
  /** Other items may have killed that child. */
  readonly isShared?: boolean;
  /** The next try need not wait. */
  readonly atOnce?: boolean;
  /** It is lost together with another one, and they wait together. */
  readonly isOneOfMany?: boolean;
}

/** From the contract: so long after a crash another agent is waited for. */
const elsewhereMs = 2_000;
const chargedTo = { thrown: 'G7', crash: 'G8', timeout: 'G8', lost: 'G9' } as const;
/** So many waits tell whether there are any: they are random, and one in a hundred is as short as none. */
const waitsMin = 6;

/** Second tries: charged to what went wrong, within the budget for it, in the right place, and after their wait. */
export class Retries {
  readonly #world: World;
  readonly #roster: Roster;
  #waits = 0;
  #noWaits = 0;

  constructor(world: World, roster: Roster) {
    this.#world = world;
    this.#roster = roster;
  }

  /** A try failed, as the coordinator was told or had to conclude. */
  failed(
    book: JobBook,
    index: number,
    kind: FailureKind,
    { agent, atOnce = false, isOneOfMany = false, isShared = false }: Failed,
  ): void {
    const trouble = book.troubleOf(index);
    trouble[kind] += 1;
    if (isShared) trouble.shared += 1;
    if (kind === 'crash') trouble.isAlone = true;
    const nowMs = this.#nowMs();
    trouble.crashed = kind === 'crash' && agent !== undefined ? { agent, atMs: nowMs } : undefined;
    const waits = !atOnce && !isOneOfMany && (kind === 'thrown' || kind === 'lost');
    trouble.waitsSinceMs = waits ? nowMs : undefined;
  }

  /** It is given to an agent again. */
  dispatched(
    book: JobBook,
    index: number,
    {
      agent,
      attempt,
      isAlone,
    }: { readonly agent: string; readonly attempt: number; readonly isAlone: boolean },
  ): void {
    const trouble = book.findTrouble(index);
    if (trouble === undefined) return;
    const { plan } = book;
    const about = { job: plan.name, index, attempt, agent };
    for (const kind of ['thrown', 'crash', 'timeout', 'lost'] as const) {
      const spent = trouble[kind] - (kind === 'crash' ? trouble.shared : 0);
      must(
        spent <= plan.retries[kind],
        chargedTo[kind],
        () => `${plan.name}[${index}] runs again after ${spent} tries ended as ${kind}`,
        about,
      );
    }
    must(
      isAlone || !trouble.isAlone,
      'G10',
      () => `${plan.name}[${index}] was in a child that died, and does not run alone`,
      about,
    );
    const nowMs = this.#nowMs();
    const { crashed, waitsSinceMs } = trouble;
    trouble.crashed = undefined;
    trouble.waitsSinceMs = undefined;
    if (crashed !== undefined && !plan.pure) {
      const isTooEarly = nowMs < crashed.atMs + elsewhereMs - 1;
      must(
        agent !== crashed.agent || !isTooEarly || !this.#roster.hasAnother(agent, plan.labels, nowMs),
        'G10',
        () => `${plan.name}[${index}] runs on ${agent} again, where it crashed, and there are others`,
        about,
      );
    }
    if (waitsSinceMs === undefined) return;
    this.#waits += 1;
    if (nowMs - waitsSinceMs < 2) this.#noWaits += 1;
  }

  /** All is over. */
  check(): void {
    must(
      this.#waits < waitsMin || this.#noWaits * 2 <= this.#waits,
      'G11',
      () => `of ${this.#waits} retries that had to wait ${this.#noWaits} did not`,
    );
  }

  #nowMs(): number {
    return this.#world.coordinator.host.now();
  }
}
