import type { AgentCommand } from '@shoal/node-agent/core';
import type { Host } from '../host.ts';
import type { ControlDown, ControlUp, DataDown, DataUp } from '../messages.ts';
import type { Link, Stream } from '../network.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { AgentCore } from './core.ts';
import type { Handovers } from './handovers.ts';
import type { NewsShelf } from './news.ts';
import type { Proof } from './proof.ts';

type Command<Type extends AgentCommand['type']> = Extract<AgentCommand, { readonly type: Type }>;

/** One session's streams. */
interface Connection {
  readonly control: Stream<ControlUp, ControlDown>;
  data: Stream<DataUp, DataDown> | undefined;
}

/** What the connections of an agent are made of, and what they bring and take. */
interface Parts {
  readonly host: Host;
  readonly link: Link;
  readonly core: AgentCore;
  readonly handovers: Handovers;
  readonly news: NewsShelf;
  readonly proof: Proof;
}

/** An agent's connections to its coordinator: a control stream each, and a data stream once it has joined. */
export class Connections {
  readonly #world: World;
  readonly #host: Host;
  readonly #link: Link;
  readonly #core: AgentCore;
  readonly #handovers: Handovers;
  readonly #news: NewsShelf;
  readonly #proof: Proof;
  readonly #connections = new Map<number, Connection>();

  constructor(world: World, { core, handovers, host, link, news, proof }: Parts) {
    this.#world = world;
    this.#host = host;
    this.#link = link;
    this.#core = core;
    this.#handovers = handovers;
    this.#news = news;
    this.#proof = proof;
  }

  control(link: number): Stream<ControlUp, ControlDown> | undefined {
    return this.#connections.get(link)?.control;
  }

  dial(link: number): void {
    const { network, coordinator } = this.#world;
    const control = network.open<ControlUp, ControlDown>(
      this.#link,
      {
        host: this.#host,
        received: (message) => this.#told(link, message),
        closed: () => this.#lost(link, 'CONNECTION_LOST'),
      },
      coordinator.agents,
      'loose',
    );
    this.#connections.set(link, { control, data: undefined });
  }

  openData({ link, session, epoch }: Command<'openData'>): void {
    const connection = this.#connections.get(link);
    if (connection === undefined) return;
    const data = this.#world.network.open<DataUp, DataDown>(
      this.#link,
      {
        host: this.#host,
        received: (message) => this.#handed(link, message),
        closed: () => this.#lost(link, 'CONNECTION_LOST'),
      },
      this.#world.coordinator.data,
      'loose',
    );
    connection.data = data;
    data.sendUp({ kind: 'hello', session, epoch });
  }

  finishData(link: number): void {
    this.#connections.get(link)?.data?.sendUp({ kind: 'end' }, 'strict');
  }

  sendBatch({ link, sequence, pieces }: Command<'sendBatch'>): void {
    const data = this.#connections.get(link)?.data;
    const reports = pieces.flatMap(({ entry, attempt, fromByte, toByte, more }) => {
      const news = this.#news.find(entry);
      return news === undefined ? [] : [{ attempt, news, fromByte, toByte, more }];
    });
    must(
      reports.length === pieces.length,
      'structure',
      () => `${this.#host.name} sends news that it has dropped`,
    );
    // Half a run that is lost alone would leave its other half: no stream does that.
    const isWhole = pieces.every(({ fromByte, more }) => fromByte === 0 && !more);
    data?.sendUp({ kind: 'batch', sequence, reports }, isWhole ? 'ordered' : 'strict');
  }

  /** Tells the coordinator. The latest connection is the one that counts. */
  resized(slots: number): void {
    // Lost alone, nobody would say it again.
    [...this.#connections.values()].at(-1)?.control.sendUp({ kind: 'slotsChanged', slots }, 'strict');
  }

  close(link: number): void {
    const connection = this.#connections.get(link);
    this.#connections.delete(link);
    connection?.control.closeNear();
    connection?.data?.closeNear();
  }

  /** Its process is gone; `silent`: nobody closes them. */
  crash(silent: boolean): void {
    for (const { control, data } of this.#connections.values()) {
      for (const stream of [control, data]) {
        if (silent) stream?.forgetNear();
        else stream?.closeNear();
      }
    }
    this.#connections.clear();
  }

  #told(link: number, message: ControlDown): void {
    const proof = this.#proof;
    switch (message.kind) {
      case 'joined': {
        const { kind: _, ...joined } = message;
        if (message.epoch >= proof.epochSeen) {
          proof.epochSeen = message.epoch;
          proof.answered(`${link}/join`, message);
        }
        this.#core.step({ type: 'joined', link, ...joined });
        return;
      }
      case 'refused':
        this.#lost(link, message.code);
        return;
      case 'heartbeatAnswer': {
        const { kind: _, ...answer } = message;
        proof.answered(`${link}/${message.sequence}`, message);
        this.#core.step({ type: 'heartbeatAnswered', link, ...answer });
        return;
      }
      case 'revoke':
        this.#core.step({ type: 'attemptRevoked', link, attempt: message.attempt });
        return;
      case 'recall':
        this.#core.step({ type: 'attemptRecalled', link, attempt: message.attempt });
        return;
      case 'sessionEnded':
        this.#core.step({ type: 'sessionEnded', link, reason: message.reason });
        return;
    }
  }

  /** What came on the data stream, field by field in its order. */
  #handed(link: number, message: DataDown): void {
    if (message.kind === 'end') {
      this.#core.step({ type: 'dataFinished', link });
      return;
    }
    const { taken, setups, handovers, forgotten } = message;
    if (taken > 0) this.#core.step({ type: 'batchesTaken', link, sequence: taken });
    for (const job of setups) this.#core.step({ type: 'jobAnnounced', link, job });
    for (const handover of handovers) {
      const { blocks: _, ...dispatch } = handover;
      this.#handovers.arrived(handover);
      this.#core.step({ type: 'attemptDispatched', link, ...dispatch });
    }
    for (const job of forgotten) this.#core.step({ type: 'jobForgotten', link, job });
  }

  #lost(link: number, code: string): void {
    if (!this.#connections.has(link)) return;
    this.close(link);
    this.#core.step({ type: 'linkLost', link, code });
  }
}
