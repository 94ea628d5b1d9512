import type { Block } from './child-pool/chunk-request.ts';

/** What was pushed of one job, and not yet told. */
export interface GatheredPush {
  readonly job: string;
  readonly count: number;
  readonly bytes: number;
}

/** Blocks that are pushed one right after another are one event: all slots share them, not all slots each of them. */
export class GatheredPushes {
  readonly #tell: (push: GatheredPush) => void;
  #push: { readonly job: string; count: number; bytes: number } | undefined;
  #isDue = false;

  /** `tell` is called at the end of the turn in which something was added, or earlier: see `flush`. */
  constructor(tell: (push: GatheredPush) => void) {
    this.#tell = tell;
  }

  add(job: string, { count, bytes }: Block): void {
    if (this.#push?.job !== job) this.flush();
    this.#push ??= { job, count: 0, bytes: 0 };
    this.#push.count += count;
    this.#push.bytes += bytes.byteLength;
    if (this.#isDue) return;
    this.#isDue = true;
    process.nextTick(() => {
      this.#isDue = false;
      this.flush();
    });
  }

  /** Tells now what was added: before whatever else happens. */
  flush(): void {
    const push = this.#push;
    if (push === undefined) return;
    this.#push = undefined;
    this.#tell(push);
  }
}
