import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterClient } from '@shoal/client';

const askMs = 250;
/** The window of a stopped client is full within this time. */
const pausedWithinMs = 60_000;

/** What a coordinator's windows hold in memory, asked for again and again. */
export class HeldBytes implements AsyncDisposable {
  /** The most that it ever said. */
  most = 0;
  readonly #client: ClusterClient;
  readonly #asking: Promise<void>;
  #isOver = false;
  #running = 0;
  #settled = 0;
  #asked = 0;

  private constructor(client: ClusterClient) {
    this.#client = client;
    this.#asking = this.#ask();
    this.#asking.catch(() => {});
  }

  static async of(address: string): Promise<HeldBytes> {
    return new HeldBytes(await ClusterClient.open(address));
  }

  /** Items that have come to their end, since the coordinator started. */
  get settled(): number {
    return this.#settled;
  }

  /** Nothing runs any more: the windows are full. */
  async paused(): Promise<void> {
    const [asked, deadline] = [this.#asked, performance.now() + pausedWithinMs];
    while (this.#asked < asked + 2 || this.#running > 0) {
      if (performance.now() > deadline) throw new Error(`${this.#running} items still run.`);
      await sleep(askMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#asking;
    await this.#client[Symbol.asyncDispose]();
  }

  async #ask(): Promise<void> {
    while (!this.#isOver) {
      const { heldBytes, runningItems, settledItems } = await this.#client.status();
      this.most = Math.max(this.most, heldBytes);
      this.#running = runningItems;
      this.#settled = settledItems;
      this.#asked += 1;
      await sleep(askMs);
    }
  }
}
