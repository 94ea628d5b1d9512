import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GetStatusResponse } from '@shoal/protocol';
import type { Ask, HubOrder } from './hub-main.ts';

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The proxies and the operator of a soak, in the coordinator's network. */
export class Hub implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #ports: Readonly<Record<string, string>> = {};

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.on('message', ({ id, value, error }: Reply) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The hub has ended.'));
      this.#waiting.clear();
    });
  }

  static async start(order: HubOrder, within: readonly string[]): Promise<Hub> {
    const module = fileURLToPath(new URL('hub-main.ts', import.meta.url));
    const node = [process.execPath, '--conditions=@shoal/source', module, JSON.stringify(order)];
    const [program = '', ...args] = [...within, ...node];
    // A Ctrl-C is for the parent, which ends this one last.
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      detached: true,
      serialization: 'advanced',
    });
    const hub = new Hub(child);
    hub.#ports = (await hub.ask({ ask: 'ports' })) as Record<string, string>;
    return hub;
  }

  /** Of the proxy that was made for somebody. */
  portFor(name: string): string {
    return this.#ports[name] ?? '';
  }

  ask(ask: Ask): Promise<unknown> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      if (!this.#process.connected) reject(new Error('The hub has ended.'));
      this.#waiting.set(id, { resolve, reject });
      this.#process.send({ ...ask, id }, (error) => error && reject(error));
    });
  }

  async status(): Promise<GetStatusResponse> {
    return (await this.ask({ ask: 'status' })) as GetStatusResponse;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.disconnect();
    await exited;
  }
}
