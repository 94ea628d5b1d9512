/** What `current()` shows inside a task function, and what prints are labelled with. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { StringDecoder } from 'node:string_decoder';

/** What is the same for all items of a part. */
export interface PartContext {
  readonly chunk: number;
  readonly job: string;
  readonly agent: string | undefined;
  readonly task: string;
  readonly tryNumber: number;
}

/** A part whose items run one after the other: the last that was started is the one before `next`. */
export interface EnteredPart {
  readonly context: PartContext;
  readonly next: number;
}

/** Text that an item has printed and that has not been sent. */
export interface PrintState {
  readonly partial: { stdout: string; stderr: string };
  /** Bytes of a character whose rest is still to come; there once bytes were written. */
  readonly decoders: { stdout?: StringDecoder; stderr?: StringDecoder };
  sentBytes: number;
  droppedBytes: number;
  /** Which limit dropped them, in words. */
  droppedBy: string;
  /** Its item is done: what comes now is left behind by it, and nobody finishes it again. */
  isFinished: boolean;
}

/** One item that runs. The signal is made when it is first asked for: few functions do. */
export class ItemContext {
  readonly index: number;
  readonly part: PartContext;
  prints: PrintState | undefined;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;

  constructor(index: number, part: PartContext) {
    this.index = index;
    this.part = part;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }
}

/**
 * Knows which item runs. Synchronous functions cost nothing; what awaits is followed by
 * AsyncLocalStorage, so that work which an item has left behind is not taken for the next one's.
 */
export class CurrentItem {
  readonly #followed = new AsyncLocalStorage<ItemContext>();
  #part: EnteredPart | undefined;
  /**
   * Of the item on the only lane, once somebody has asked for it; only set here. A field, for it is looked at after every
   * item: a getter would be one more function to compile.
   */
  enteredContext: ItemContext | undefined;

  /** Items of this part start on the only lane there is, until {@link leave}; at the latest before a next one starts
   * after one that has a context. */
  enter(part: EnteredPart): void {
    this.#part = part;
    this.enteredContext = undefined;
  }

  leave(): void {
    this.#part = undefined;
    this.enteredContext = undefined;
  }

  /** Run `task` so that everything it starts is known to belong to this item. */
  follow<T>(context: ItemContext, task: () => T): T {
    return this.#followed.run(context, task);
  }

  /** The item that the caller belongs to; undefined outside any. */
  get(): ItemContext | undefined {
    return this.#followed.getStore() ?? this.entered();
  }

  /** The item on the only lane; its context is made when somebody asks. */
  entered(): ItemContext | undefined {
    const part = this.#part;
    if (part === undefined) return undefined;
    this.enteredContext ??= new ItemContext(part.next - 1, part.context);
    return this.enteredContext;
  }

  /** Let `current()` of the package find it, whichever copy of the package the task has loaded. */
  publish(): void {
    Object.defineProperty(globalThis, Symbol.for('shoal.current'), {
      // A process that is copied has rehearsed it.
      configurable: true,
      value: () => {
        const item = this.get();
        if (item === undefined) return undefined;
        return {
          index: item.index,
          attempt: item.part.tryNumber,
          get signal() {
            return item.signal;
          },
          job: item.part.job,
          agent: item.part.agent,
        };
      },
    });
  }
}
