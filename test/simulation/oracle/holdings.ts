import type { CoordinatorCommand, CoordinatorEvent } from '@shoal/coordinator/core';
import { must } from '../violation.ts';
import type { JobBook, JobBooks } from './job-book.ts';
import type { Leases } from './leases.ts';
import type { Retries } from './retries.ts';
import type { Roster } from './roster.ts';

type Event<Type extends CoordinatorEvent['type']> = Extract<CoordinatorEvent, { readonly type: Type }>;
type Command<Type extends CoordinatorCommand['type']> = Extract<CoordinatorCommand, { readonly type: Type }>;

/** An attempt that an agent has, as far as the coordinator can know. */
interface Holding {
  readonly attempt: number;
  readonly book: JobBook;
  readonly agent: string;
  readonly first: number;
  readonly end: number;
  /** Items that failed in it. */
  readonly left: Set<number>;
  /** Since when no heartbeat has listed it, on the clock of leases. */
  unlistedSinceMs: number | undefined;
  isRevoked: boolean;
}

/** From the contract: a dispatch that no heartbeat confirms for so long is given up. */
const confirmMs = 5_000;
/** Short shards may wait behind a busy slot, so many of them at most; more where they are tiny. */
const shardsPerSlot = 4;
const tinyPerSlot = 16;
const tinyBelowMs = 3;

/**
 * Who has what: told from nothing but what reaches the coordinator and what it says.
 *
 * An item that is with one agent is given to another one only where it is clear what became of the first attempt: its
 * end was heard, its agent is lost or has it no more, or the job is pure and it lags. And what an agent says that it
 * holds is taken from it only for a reason.
 */
export class Holdings {
  readonly #books: JobBooks;
  readonly #roster: Roster;
  readonly #leases: Leases;
  readonly #retries: Retries;
  readonly #attempts = new Map<number, Holding>();
  readonly #byAgent = new Map<string, Map<number, Holding>>();
  /** By session: attempts that a join has listed. */
  readonly #brought = new Map<number, Set<number>>();
  /** Taken back in this step, with nothing heard that explains it yet. */
  #takenBack: { readonly holding: Holding; readonly isJoin: boolean }[] = [];

  constructor(books: JobBooks, roster: Roster, leases: Leases, retries: Retries) {
    this.#books = books;
    this.#roster = roster;
    this.#leases = leases;
    this.#retries = retries;
  }

  heard(event: CoordinatorEvent, epoch: number): void {
    switch (event.type) {
      case 'joinReceived': {
        const held = event.held.filter((each) => each.epoch === epoch);
        this.#brought.set(event.session, new Set(held.map(({ attempt }) => attempt)));
        return;
      }
      case 'heartbeatListed':
        this.#listed(event);
        return;
      case 'itemFailed':
        this.#failed(event);
        return;
      case 'attemptEnded':
        this.#ended(event);
        return;
      case 'sessionClosed': {
        const agent = event.orderly ? this.#roster.agentOf(event.session) : undefined;
        // Whoever says good-bye has reported all that had begun there.
        if (agent !== undefined)
          for (const holding of [...this.#ofAgent(agent).values()]) this.#over(holding);
        return;
      }
    }
  }

  said(command: CoordinatorCommand): void {
    switch (command.type) {
      case 'dispatch':
        this.#dispatched(command);
        return;
      case 'admitAgent':
        this.#admitted(command);
        return;
      case 'answerHeartbeat':
        for (const attempt of command.drop) this.#takeBack(command.session, attempt, false);
        return;
      case 'revoke':
        this.#takeBack(command.session, command.attempt, false);
        return;
      case 'note':
        if (command.note.what === 'agentLost') this.#allLost(command.note.agent);
        else if (command.note.what === 'dispatchUnconfirmed') this.#givenUp(command.note.attempt);
        return;
    }
  }

  /** Whatever was taken back had a reason by now. */
  stepped(): void {
    if (this.#takenBack.length === 0) return;
    for (const { holding, isJoin } of this.#takenBack) {
      const { agent, attempt, book } = holding;
      must(
        !this.#attempts.has(attempt) || book.endedAtMs !== undefined || this.#openItems(holding).length === 0,
        isJoin ? 'G17' : 'G16',
        () =>
          isJoin
            ? `${agent} comes back with attempt ${attempt}, which is its own, and has to drop it`
            : `attempt ${attempt} is taken back from ${agent}, and nothing says why`,
        { job: book.plan.name, index: holding.first, attempt, agent },
      );
    }
    this.#takenBack = [];
  }

  coordinatorRestarted(): void {
    this.#attempts.clear();
    this.#byAgent.clear();
    this.#brought.clear();
    this.#takenBack = [];
  }

  #dispatched({ agent, attempt, count, first, job }: Command<'dispatch'>): void {
    const plan = this.#books.planOf(job);
    if (plan === undefined) return;
    const book = this.#books.of(plan.name);
    for (let index = first; index < first + count; index += 1) {
      const holder = this.#attempts.get(book.holder[index] ?? 0);
      const isHeld = holder !== undefined && !holder.isRevoked && this.#isOpen(holder, index);
      const about = { job: plan.name, index, attempt, agent };
      must(
        !isHeld || (plan.pure && book.copies[index] === 0),
        'G6',
        () =>
          `${plan.name}[${index}] goes to ${agent} and is with ${holder?.agent} (attempt ${holder?.attempt})`,
        about,
      );
      if (isHeld) book.copies[index] = 1;
      else this.#retries.dispatched(book, index, { attempt, agent, isAlone: count === 1 });
      book.holder[index] = attempt;
    }
    const holding: Holding = {
      attempt,
      book,
      agent,
      first,
      end: first + count,
      left: new Set(),
      unlistedSinceMs: this.#leases.nowMs,
      isRevoked: false,
    };
    this.#attempts.set(attempt, holding);
    this.#ofAgent(agent).set(attempt, holding);
    this.#checkRoom(holding);
  }

  /** An agent gets no more than its processes can begin soon. */
  #checkRoom({ agent, attempt }: Holding): void {
    // Of what was taken back nobody is told when it is given up.
    const wanted = [...this.#ofAgent(agent).values()].filter(({ isRevoked }) => !isRevoked);
    const hasTiny = wanted.some(({ book: { plan } }) => plan.itemMs < tinyBelowMs * plan.concurrentTasks);
    // A shard of one item for each call that a child has free, when items come one by one; the others wait behind these.
    const calls = Math.max(0, ...wanted.map(({ book: { plan } }) => plan.concurrentTasks));
    const atOnce = calls > 1 ? calls : 0;
    const slots = this.#roster.slotsOf(agent);
    must(
      wanted.length <= slots * (atOnce + (hasTiny ? tinyPerSlot : shardsPerSlot)),
      'structure',
      () => `${agent} has ${wanted.length} attempts for ${slots} processes`,
      { agent, attempt },
    );
  }

  #listed({ held, session, stalledForMs }: Event<'heartbeatListed'>): void {
    if (this.#leases.isDeaf(stalledForMs)) return;
    const agent = this.#roster.agentOf(session);
    if (agent !== undefined) this.#confirm(agent, new Set(held));
  }

  #confirm(agent: string, held: ReadonlySet<number>): void {
    for (const holding of this.#ofAgent(agent).values()) {
      if (held.has(holding.attempt)) holding.unlistedSinceMs = undefined;
      else holding.unlistedSinceMs ??= this.#leases.nowMs;
    }
  }

  #failed({ attempt, failure, index, session }: Event<'itemFailed'>): void {
    const holding = this.#owned(session, attempt);
    if (holding === undefined || holding.isRevoked || !this.#isOpen(holding, index)) return;
    holding.left.add(index);
    this.#retries.failed(holding.book, index, failure.kind, {});
  }

  #ended({ attempt, ending, session }: Event<'attemptEnded'>): void {
    const holding = this.#owned(session, attempt);
    if (holding === undefined) return;
    this.#over(holding);
    const { agent, book, isRevoked } = holding;
    if (isRevoked || book.endedAtMs !== undefined) return;
    switch (ending.kind) {
      case 'finished':
        this.#lost(holding);
        return;
      case 'childDied': {
        const suspects = ending.suspects.flatMap((range) => this.#openItems(holding, range));
        const isShared = suspects.length > 1;
        for (const index of suspects) this.#retries.failed(book, index, 'crash', { agent, isShared });
        return;
      }
      case 'returned': {
        const started = (ending.started ?? []).flatMap((range) => this.#openItems(holding, range));
        for (const index of started) this.#retries.failed(book, index, 'lost', { atOnce: true });
        return;
      }
      case 'unrunnable':
        return;
    }
  }

  #admitted({ drop, session }: Command<'admitAgent'>): void {
    const agent = this.#roster.agentOf(session);
    if (agent === undefined) return;
    const brought = this.#brought.get(session) ?? new Set();
    for (const holding of [...this.#ofAgent(agent).values()]) {
      if (brought.has(holding.attempt)) continue;
      this.#over(holding);
      if (!holding.isRevoked) this.#lost(holding);
    }
    this.#confirm(agent, brought);
    for (const attempt of drop) this.#takeBack(session, attempt, true);
  }

  #takeBack(session: number, attempt: number, isJoin: boolean): void {
    const holding = this.#attempts.get(attempt);
    if (holding === undefined || holding.isRevoked) return;
    if (holding.agent !== this.#roster.whoAsked(session)) return;
    holding.isRevoked = true;
    this.#takenBack.push({ holding, isJoin });
  }

  #givenUp(attempt: number): void {
    const holding = this.#attempts.get(attempt);
    if (holding === undefined) return;
    const { agent, unlistedSinceMs } = holding;
    const unlistedMs = this.#leases.nowMs - (unlistedSinceMs ?? this.#leases.nowMs);
    must(
      unlistedMs >= confirmMs - 1,
      'G16',
      () =>
        `attempt ${attempt} is given up ${Math.round(unlistedMs)} ms after ${agent} should have listed it`,
      { attempt, agent, job: holding.book.plan.name },
    );
    this.#over(holding);
    this.#lost(holding);
  }

  #allLost(agent: string): void {
    for (const holding of [...this.#ofAgent(agent).values()]) {
      this.#over(holding);
      if (!holding.isRevoked) this.#lost(holding);
    }
  }

  /** Items of an attempt that are over nowhere. One wait for all of them. */
  #lost(holding: Holding): void {
    const { book } = holding;
    if (book.endedAtMs !== undefined) return;
    const open = this.#openItems(holding);
    for (const [at, index] of open.entries())
      this.#retries.failed(book, index, 'lost', at === 0 ? {} : { isOneOfMany: true });
  }

  #over({ agent, attempt }: Holding): void {
    this.#attempts.delete(attempt);
    this.#ofAgent(agent).delete(attempt);
  }

  #owned(session: number, attempt: number): Holding | undefined {
    const holding = this.#attempts.get(attempt);
    return holding !== undefined && this.#roster.agentOf(session) === holding.agent ? holding : undefined;
  }

  #isOpen({ book, end, first, left }: Holding, index: number): boolean {
    return index >= first && index < end && !left.has(index) && !book.isSettled(index);
  }

  #openItems(
    holding: Holding,
    range: { readonly first: number; readonly count: number } = {
      first: holding.first,
      count: holding.end - holding.first,
    },
  ): number[] {
    const open: number[] = [];
    for (let index = range.first; index < range.first + range.count; index += 1) {
      if (this.#isOpen(holding, index)) open.push(index);
    }
    return open;
  }

  #ofAgent(agent: string): Map<number, Holding> {
    let holdings = this.#byAgent.get(agent);
    if (holdings === undefined) {
      holdings = new Map();
      this.#byAgent.set(agent, holdings);
    }
    return holdings;
  }
}
