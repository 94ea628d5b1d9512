import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentCommand } from './agent-command.ts';
import { TestAgent } from './agent-machine.testkit.ts';

/** What may happen next; the numbers choose among what there is. */
const happening = fc.tuple(
  fc.constantFrom(
    ...([
      'dispatch',
      'dispatch',
      'dispatch',
      'values',
      'values',
      'ended',
      'ended',
      'granted',
      'granted',
    ] as const),
    ...([
      'taken',
      'taken',
      'announce',
      'forget',
      'prepared',
      'failed',
      'revoke',
      'recall',
      'answered',
      'answered',
    ] as const),
    ...([
      'tick',
      'tick',
      'lost',
      'joined',
      'sessionEnded',
      'epoch',
      'refused',
      'room',
      'stall',
      'prints',
    ] as const),
  ),
  fc.nat(9),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** A world that says anything at any time: repeated, reordered, late, contradictory. */
class HostileWorld {
  readonly agent = new TestAgent({ messageBytes: 300, outboxBytes: 2_000, rememberedAttempts: 50 });
  epoch = 1;
  session = 1;
  /** Attempts started in each epoch. */
  readonly starts: string[] = [];
  /** Started and not ended. */
  readonly running = new Set<number>();
  readonly kept = new Set<number>();
  /** Attempts for which the driver keeps what they run on. */
  readonly works = new Set<number>();
  /** Asked for and not answered in the end. */
  readonly preparing = new Set<number>();
  lastBeat = 0;
  isHeld = false;
  #seen = 0;

  constructor() {
    this.agent.step({ type: 'started' });
    this.agent.join();
    this.#observe();
  }

  happens([what, which]: Happening): void {
    this.#tell(what, which);
    this.#observe();
  }

  #tell(what: Happening[0], which: number): void {
    const { agent } = this;
    const link = agent.link;
    const job = `job-${which % 3}`;
    switch (what) {
      case 'dispatch':
        agent.dispatch(which + 1 + 10 * (which % 2), { job });
        return;
      case 'values':
        agent.values(this.#oneOf(this.running, which), 50 * which);
        return;
      case 'ended': {
        const chunk = this.#oneOf(this.running, which);
        this.running.delete(chunk);
        agent.ended(chunk);
        return;
      }
      case 'granted':
        agent.granted();
        return;
      case 'taken':
        agent.taken(which);
        return;
      case 'announce':
        agent.step({ type: 'jobAnnounced', link, job });
        return;
      case 'forget':
        agent.step({ type: 'jobForgotten', link, job });
        return;
      case 'prepared':
        agent.step({ type: 'setupPrepared', setup: which });
        return;
      case 'failed':
        agent.step({ type: 'setupFailed', setup: which, retryable: which % 3 > 0 });
        return;
      case 'revoke':
        agent.revoke(which + 1);
        return;
      case 'recall':
        agent.recall(which + 1);
        return;
      case 'answered':
        agent.answered(which, which % 4 === 0 ? [which] : []);
        return;
      case 'tick':
        agent.after(which * 300);
        return;
      case 'lost':
        agent.lost();
        return;
      case 'joined':
        agent.join({ session: this.session++, epoch: this.epoch, drop: which % 3 === 0 ? [which] : [] });
        return;
      case 'sessionEnded':
        agent.step({ type: 'sessionEnded', link, reason: 'silent' });
        return;
      case 'epoch':
        this.epoch += which % 2 === 0 ? 1 : 0;
        return;
      case 'refused': {
        const chunk = this.#oneOf(this.running, which);
        this.running.delete(chunk);
        agent.step({ type: 'chunkRefused', chunk, retryable: which % 2 === 0 });
        return;
      }
      case 'room':
        agent.step({ type: 'controlRoomChanged', link, hasRoom: which % 2 === 0 });
        return;
      case 'stall':
        agent.jump(which * 4_000);
        return;
      case 'prints':
        agent.step({ type: 'printsArrived' });
    }
  }

  /** Ends well: it is let in, every chunk ends, every batch is taken. */
  quiet(): void {
    const { agent } = this;
    for (let turn = 0; turn < 150; turn += 1) {
      if (agent.snapshot.state === 'joining') agent.join({ session: this.session++, epoch: this.epoch });
      for (const setup of this.preparing) agent.step({ type: 'setupPrepared', setup });
      this.preparing.clear();
      agent.after(500);
      agent.answered(this.lastBeat);
      this.#observe();
      for (const chunk of [...this.running]) {
        this.running.delete(chunk);
        agent.ended(chunk);
      }
      agent.granted();
      agent.taken(1_000_000);
      this.#observe();
    }
  }

  #oneOf(chunks: Iterable<number>, which: number): number {
    const all = [...chunks];
    return all[which % Math.max(1, all.length)] ?? which;
  }

  #observe(): void {
    const { commands } = this.agent;
    for (; this.#seen < commands.length; this.#seen += 1) this.#done(commands[this.#seen] as AgentCommand);
  }

  #done(command: AgentCommand): void {
    if (command.type === 'holdStarts') this.isHeld = true;
    else if (command.type === 'allowStarts') this.isHeld = false;
    else if (command.type === 'startChunk') {
      expect(this.isHeld, 'nothing starts behind the fence').toBe(false);
      expect(this.works.delete(command.attempt), 'what it runs on is there').toBe(true);
      this.starts.push(`${this.agent.snapshot.epochSeen} ${command.attempt}`);
      this.running.add(command.chunk);
    } else if (command.type === 'prepareSetup') this.preparing.add(command.setup);
    else if (command.type === 'sendHeartbeat') this.lastBeat = command.sequence;
    else if (command.type === 'keepWork') this.works.add(command.attempt);
    else if (command.type === 'dropWork') this.works.delete(command.attempt);
    else if (command.type === 'keepNews') this.kept.add(command.entry);
    else if (command.type === 'dropNews') {
      for (const entry of command.entries) {
        expect(this.kept.delete(entry), `entry ${entry} is dropped once`).toBe(true);
      }
    } else if (command.type === 'sendBatch') {
      for (const { entry } of command.pieces) {
        expect(this.kept.has(entry), `entry ${entry} is there to be sent`).toBe(true);
      }
    }
  }
}

test('whatever happens, the invariants hold, no attempt starts twice, and in the end nothing is left', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 120 }), (script) => {
      const world = new HostileWorld();
      for (const each of script) world.happens(each);
      world.quiet();
      expect(new Set(world.starts).size).toBe(world.starts.length);
      expect(world.agent.snapshot).toMatchObject({ state: 'open', attempts: [], isFenced: false });
      expect(world.kept.size).toBe(0);
      expect(world.works.size).toBe(0);
    }),
    { numRuns: 100, seed: 7 },
  );
});

test('equal events give equal commands', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (script) => {
      const [one, other] = [new HostileWorld(), new HostileWorld()];
      for (const each of script) {
        one.happens(each);
        other.happens(each);
      }
      expect(one.agent.commands).toEqual(other.agent.commands);
    }),
    { numRuns: 50, seed: 7 },
  );
});
