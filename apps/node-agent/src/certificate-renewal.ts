import type { Log } from './log.ts';

/** From when until when a certificate is good, in milliseconds since 1970. */
export interface CertificateLife {
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What a {@link CertificateRenewal} works with. */
export interface RenewalParts {
  readonly agent: string;
  /** The life of the certificate that the agent has now. */
  readonly life: () => Promise<CertificateLife>;
  /** Gets the next one. Rejects with what the coordinator says, or why there is none. */
  readonly renew: () => Promise<void>;
  readonly log: Log;
}

/** A certificate that lives longer was made by a person, who makes the next one, too. */
const selfRenewedMsMax = 2 * 86_400_000;
const retryMsMin = 1_000;
const retryMsMax = 600_000;
/** Timers stand still while a machine sleeps, and the life of a certificate does not: the clock is looked at so often. */
const lookMs = 240_000;

/**
 * When a certificate has to be renewed, in milliseconds since 1970: when half of its life is over, so that a
 * coordinator may be away for as long again. Undefined for one that a person renews.
 */
export function renewalAtMs({ validFromMs, validToMs }: CertificateLife): number | undefined {
  const lifeMs = validToMs - validFromMs;
  return lifeMs > selfRenewedMsMax ? undefined : validFromMs + lifeMs / 2;
}

/**
 * How long to wait after a try that failed: a twentieth of what is left, so that there are many tries and none in a hurry,
 * less up to a half of it (`chance`, 0 to 1), for all agents lose their coordinator in the same moment.
 */
export function retryAfterMs(leftMs: number, chance: number): number {
  return Math.min(retryMsMax, Math.max(retryMsMin, leftMs / 20)) * (1 - chance / 2);
}

/** When something is due: by the clock, and how much of that is left by a timer. */
interface Due {
  readonly atMs: number;
  readonly leftMs: number;
}

/** Renews the certificate of an agent while it is good: one that has expired opens nothing, not even that. */
export class CertificateRenewal {
  readonly #parts: RenewalParts;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** It was told that the certificate has expired. */
  #isTold = false;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  /** Looks at the certificate that is there, and renews it when it is time. Rejects where it cannot be read. */
  async start(): Promise<void> {
    const life = await this.#parts.life();
    const dueMs = renewalAtMs(life);
    if (dueMs !== undefined) this.#after(Math.max(retryMsMin, dueMs - Date.now()), life);
  }

  /** Renews nothing any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #after(waitMs: number, life: CertificateLife): void {
    this.#await({ atMs: Date.now() + waitMs, leftMs: waitMs }, life);
  }

  /** Whichever is first: the clock may be put back, too. */
  #await({ atMs, leftMs }: Due, life: CertificateLife): void {
    if (this.#stopped) return;
    const waitMs = Math.min(leftMs, lookMs);
    this.#timer = setTimeout(() => {
      const due = { atMs, leftMs: leftMs - waitMs };
      if (due.leftMs <= 0 || Date.now() >= atMs) void this.#renew(life);
      else this.#await(due, life);
    }, waitMs);
    this.#timer.unref();
  }

  async #renew(life: CertificateLife): Promise<void> {
    const { agent, log, renew } = this.#parts;
    // Of a machine that slept meanwhile, say, or by a clock that is wrong.
    if (Date.now() >= life.validToMs) return this.#expired(life);
    try {
      await renew();
      this.#isTold = false;
      log.info({ event: 'agent.certificate', agent }, `agent ${agent} has a new certificate`);
      await this.start();
    } catch (error) {
      this.#failed(error as Error, life);
    }
  }

  #failed({ message }: Error, life: CertificateLife): void {
    const { agent, log } = this.#parts;
    const leftMs = life.validToMs - Date.now();
    if (leftMs <= 0) {
      this.#expired(life, ` It could not be renewed: ${message}`);
      return;
    }
    const until = new Date(life.validToMs).toISOString();
    log.warn(
      { event: 'agent.certificate', agent, until },
      `the certificate of agent ${agent} could not be renewed: ${message} It is good until ${until}.`,
    );
    // Once more when it has expired: that is told then.
    this.#after(Math.min(retryAfterMs(leftMs, Math.random()), leftMs), life);
  }

  /** The clock is looked at all the same: where it was ahead and is put right, the certificate is good. */
  #expired(life: CertificateLife, why: string = ''): void {
    const { agent, log } = this.#parts;
    const { validToMs } = life;
    this.#after(lookMs, life);
    if (this.#isTold) return;
    this.#isTold = true;
    const until = new Date(validToMs).toISOString();
    log.error(
      { event: 'agent.certificate', agent, until },
      `the certificate of agent ${agent} has expired on ${until}.${why} Join again with a new token: shoal token create --role agent.`,
    );
  }
}
