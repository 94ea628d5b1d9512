import type { Clock } from './clock.ts';
import type { Host } from './host.ts';

/** What may happen to one message. */
export type MessageFate =
  | { readonly kind: 'passes' }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'duplicated'; readonly afterMs: number }
  | { readonly kind: 'delayed'; readonly byMs: number }
  /** Late, and what was sent after it does not wait. */
  | { readonly kind: 'overtaken'; readonly byMs: number };

/**
 * What a message can bear. `loose`: anything, for the protocol notices by itself. `ordered`: it may come late or twice,
 * but if it is lost its stream breaks, as TCP's do. `strict`: once, or the stream breaks.
 */
export type Bearing = 'loose' | 'ordered' | 'strict';

/** Decides over each message; the world's faults do. */
export type FateOf = (link: Link, way: Way, bearing: Bearing) => MessageFate;

/** Towards the coordinator, or away from it. */
export type Way = 'up' | 'down';

/** One direction of a link. */
class Road {
  isBlocked = false;
  /** What was sent into the silence: it arrives when the silence ends, unless its stream is gone by then. */
  waiting: Array<() => void> = [];
  /** Since when something waits there. */
  waitsSinceMs: number | undefined;
}

/** One direction of a stream: its messages arrive in order. */
interface Lane {
  /** When the last one arrives. */
  lastMs: number;
}

/** The way between one machine and the coordinator's. */
export class Link {
  readonly name: string;
  readonly latencyMs: number;
  readonly up: Road = new Road();
  readonly down: Road = new Road();
  readonly streams: Set<Stream<never, never>> = new Set();
  /** Counts silences, so that one that is over stops no stream. */
  silences = 0;

  constructor(name: string, latencyMs: number) {
    this.name = name;
    this.latencyMs = latencyMs;
  }
}

/** What one end of a stream hears. */
export interface End<In> {
  readonly host: Host;
  received(message: In): void;
  /** The stream is over; nothing more is heard of it. */
  closed(): void;
}

/** Who takes streams in. */
export interface Listener<Up, Down> {
  readonly host: Host;
  /** A stream came; undefined: refused. */
  accept(stream: Stream<Up, Down>): End<Up> | undefined;
}

/** Takes streams in on a host, which is the far end of them. */
export function listening<Up, Down>(
  host: Host,
  accept: (stream: Stream<Up, Down>) => Omit<End<Up>, 'host'>,
): Listener<Up, Down> {
  return { host, accept: (stream) => ({ host, ...accept(stream) }) };
}

/** A half-dead connection is noticed by gRPC's keepalive, ours are 20 s + 20 s. */
export const keepaliveMs = 40_000;

/** Links between the machines, and what travels on them. */
export class Network {
  readonly #clock: Clock;
  readonly #fateOf: FateOf;
  readonly #jitter: () => number;
  messages = 0;

  constructor(clock: Clock, fateOf: FateOf, jitter: () => number) {
    this.#clock = clock;
    this.#fateOf = fateOf;
    this.#jitter = jitter;
  }

  /** Opens a stream; the far end comes to be when the first message arrives there. */
  open<Up, Down>(link: Link, near: End<Down>, far: Listener<Up, Down>, bearing: Bearing): Stream<Up, Down> {
    const stream = new Stream<Up, Down>(this, link, near, far, bearing);
    link.streams.add(stream as Stream<never, never>);
    return stream;
  }

  /** Nothing gets through in this direction until {@link heal}. */
  block(link: Link, way: Way): void {
    link[way].isBlocked = true;
    link.silences += 1;
    const silence = link.silences;
    this.#clock.after(keepaliveMs, () => {
      if (link.silences !== silence || !(link.up.isBlocked || link.down.isBlocked)) return;
      for (const stream of [...link.streams]) stream.breakLocally();
    });
  }

  /** One end is gone without a word: the other one gives up when nobody answers its pings. */
  afterKeepalive(act: () => void): void {
    this.#clock.after(keepaliveMs, act);
  }

  heal(link: Link): void {
    link.silences += 1;
    for (const way of ['up', 'down'] as const) {
      const road = link[way];
      if (!road.isBlocked) continue;
      road.isBlocked = false;
      const waiting = road.waiting;
      road.waiting = [];
      road.waitsSinceMs = undefined;
      for (const go of waiting) go();
    }
  }

  /** Every stream of a link breaks, and both ends hear of it as far as anything gets through. */
  resetStreams(link: Link): void {
    for (const stream of [...link.streams]) stream.reset();
  }

  /** Brings a message to the other side, behind what `lane` has carried before. */
  carry(link: Link, way: Way, bearing: Bearing, lane: Lane, arrive: () => void, breaks: () => void): void {
    this.messages += 1;
    const road = link[way];
    if (road.isBlocked) {
      road.waiting.push(() => this.#queue(link, lane, 0, arrive));
      road.waitsSinceMs ??= this.#clock.nowMs;
      return;
    }
    const fate = this.#fateOf(link, way, bearing);
    switch (fate.kind) {
      case 'passes':
        this.#queue(link, lane, 0, arrive);
        return;
      case 'dropped':
        if (bearing !== 'loose') breaks();
        return;
      case 'duplicated':
        this.#queue(link, lane, 0, arrive);
        this.#clock.at(lane.lastMs + fate.afterMs, arrive);
        return;
      case 'delayed':
        this.#queue(link, lane, fate.byMs, arrive);
        return;
      case 'overtaken':
        this.#clock.at(Math.max(lane.lastMs, this.#clock.nowMs + this.#travelMs(link)) + fate.byMs, arrive);
        return;
    }
  }

  /** The end of a stream travels behind all that was sent on it. Faults of messages leave it alone. */
  carryEnd(link: Link, way: Way, lane: Lane, arrive: () => void): void {
    const road = link[way];
    if (road.isBlocked) road.waiting.push(() => this.#queue(link, lane, 0, arrive));
    else this.#queue(link, lane, 0, arrive);
  }

  #queue(link: Link, lane: Lane, lateMs: number, arrive: () => void): void {
    lane.lastMs = Math.max(lane.lastMs, this.#clock.nowMs + this.#travelMs(link)) + lateMs;
    this.#clock.at(lane.lastMs, arrive);
  }

  #travelMs(link: Link): number {
    return link.latencyMs * (1 + this.#jitter());
  }
}

/** One stream: what is sent at one end arrives at the other, in order unless a fault says otherwise. */
export class Stream<Up, Down> {
  readonly #network: Network;
  readonly #link: Link;
  readonly #near: End<Down>;
  readonly #nearLife: number;
  readonly #listener: Listener<Up, Down>;
  readonly #bearing: Bearing;
  #far: End<Up> | undefined;
  #farLife: number;
  #nearOpen = true;
  #farOpen = true;
  /** What is sent after a loss arrives no more than what was lost. */
  #isBroken = false;
  /** Given up by the side that opened it: if it is not there by now, it never is. */
  #isCancelled = false;
  readonly #upLane: Lane = { lastMs: 0 };
  readonly #downLane: Lane = { lastMs: 0 };

  constructor(network: Network, link: Link, near: End<Down>, listener: Listener<Up, Down>, bearing: Bearing) {
    this.#network = network;
    this.#link = link;
    this.#near = near;
    this.#nearLife = near.host.life;
    this.#listener = listener;
    this.#farLife = listener.host.life;
    this.#bearing = bearing;
  }

  /** How long what was sent to the side that opened it has found no way there. */
  blockedForMs(nowMs: number): number {
    const { waitsSinceMs } = this.#link.down;
    return waitsSinceMs === undefined ? 0 : nowMs - waitsSinceMs;
  }

  /** From the side that opened it. */
  sendUp(message: Up, bearing: Bearing = this.#bearing): void {
    if (!this.#nearOpen || this.#isBroken) return;
    const arrive = (): void => this.#arriveUp(message);
    // The first message opens the stream: lost alone it would leave nothing to break.
    const bears = this.#far === undefined ? 'strict' : bearing;
    this.#network.carry(this.#link, 'up', bears, this.#upLane, arrive, () => this.reset());
  }

  /** From the coordinator's side. */
  sendDown(message: Down, bearing: Bearing = this.#bearing): void {
    if (!this.#farOpen || this.#isBroken) return;
    const arrive = (): void => this.#toNear((end) => end.received(message));
    this.#network.carry(this.#link, 'down', bearing, this.#downLane, arrive, () => this.reset());
  }

  /** The side that opened it ends it; the other one hears of it after all that was sent. */
  closeNear(): void {
    if (!this.#nearOpen) return;
    this.#isCancelled = true;
    this.#nearOpen = false;
    this.#tellFar();
    this.#forgetIfOver();
  }

  /** The coordinator's side ends it. */
  closeFar(): void {
    if (!this.#farOpen) return;
    this.#farOpen = false;
    this.#tellNear();
    this.#forgetIfOver();
  }

  /** It breaks: both ends hear of it, each as far as anything reaches it. */
  reset(): void {
    this.#isBroken = true;
    if (this.#nearOpen) this.#tellNear();
    if (this.#farOpen) this.#tellFar();
  }

  /** Its process is gone without a word. */
  forgetNear(): void {
    this.#nearOpen = false;
    this.#network.afterKeepalive(() => this.#closedFar());
    this.#forgetIfOver();
  }

  /** Keepalive: each end gives up by itself. */
  breakLocally(): void {
    this.#closedNear();
    this.#closedFar();
  }

  #arriveUp(message: Up): void {
    const { host } = this.#listener;
    if (!host.isAlive || host.life !== this.#farLife) {
      // Nobody listens there any more.
      if (!this.#farOpen) return;
      this.#farOpen = false;
      this.#tellNear();
      return;
    }
    host.do(() => {
      if (!this.#farOpen || host.life !== this.#farLife) return;
      if (this.#far === undefined && this.#isCancelled) {
        this.#farOpen = false;
        this.#forgetIfOver();
        return;
      }
      this.#far ??= this.#listener.accept(this);
      if (this.#far !== undefined) this.#far.received(message);
      else this.closeFar();
    });
  }

  #toNear(act: (end: End<Down>) => void): void {
    const near = this.#near;
    near.host.do(() => {
      if (this.#nearOpen && near.host.life === this.#nearLife) act(near);
    });
  }

  #tellNear(): void {
    this.#network.carryEnd(this.#link, 'down', this.#downLane, () => this.#closedNear());
  }

  #tellFar(): void {
    this.#network.carryEnd(this.#link, 'up', this.#upLane, () => this.#closedFar());
  }

  #closedNear(): void {
    const near = this.#near;
    near.host.do(() => {
      if (!this.#nearOpen) return;
      this.#nearOpen = false;
      this.#isCancelled = true;
      this.#forgetIfOver();
      if (near.host.life === this.#nearLife) near.closed();
    });
  }

  #closedFar(): void {
    const { host } = this.#listener;
    if (host.life !== this.#farLife || this.#far === undefined) {
      this.#farOpen = false;
      this.#forgetIfOver();
      return;
    }
    host.do(() => {
      if (!this.#farOpen) return;
      this.#farOpen = false;
      this.#forgetIfOver();
      if (host.life === this.#farLife) this.#far?.closed();
    });
  }

  #forgetIfOver(): void {
    if (!this.#nearOpen && !this.#farOpen) this.#link.streams.delete(this as Stream<never, never>);
  }
}
