/** What is said of items and parts, values apart: those leave in batches (result-batch.ts). */
import type { Encoding, RemoteErrorData } from '../child-pool/chunk-request.ts';
import { frameType } from '../frames.ts';
import { describeThrown, encodeError, summarize } from '../values/remote-error.ts';
import type { Channel } from './channel.ts';
import type { ItemFailedMessage } from './message.ts';
import type { Part } from './part.ts';
import type { PrintCapture } from './print-capture.ts';
import type { ItemRefused } from './result-batch.ts';
import { UnreadableItem } from './unreadable-item.ts';

export class ItemReports {
  readonly #channel: Channel;
  readonly #prints: PrintCapture;

  constructor(channel: Channel, prints: PrintCapture) {
    this.#channel = channel;
    this.#prints = prints;
  }

  /** The part's function is there, and its first item starts next. */
  began(part: Part): void {
    this.#channel.send([this.#channel.writer.partBegan(part.spec.chunk)]);
  }

  /** The item threw, or was never there to be given to the function. */
  threw(part: Part, index: number, error: unknown, ms: number): void {
    const { encoding } = part.task.spec;
    const facts = UnreadableItem.factsOf(error);
    if (facts !== undefined) {
      part.results.flush();
      const { message } = error as UnreadableItem;
      this.refused(part.spec.chunk, encoding)(index, 'VALUE_NOT_PORTABLE', message, facts);
      return;
    }
    const data = withoutOurFrames(describeThrown(error));
    const message: ItemFailedMessage = {
      chunk: part.spec.chunk,
      index,
      code: 'ITEM_THREW',
      retryable: part.task.isRetryable(error),
      ms,
      summary: summarize(data),
      facts: {},
    };
    // What finished before it comes before it: with failFast nothing counts that comes after.
    part.results.flush();
    this.#prints.flush();
    this.#channel.message(frameType.itemFailed, message, encodeError(encoding, data));
  }

  /** An item or a result that is no value: an error of its item, which would fail the same way again. */
  refused(chunk: number, encoding: Encoding): ItemRefused {
    return (index, code, message, facts) => {
      const summary = message.slice(0, 1_000);
      const failed: ItemFailedMessage = { chunk, index, code, retryable: false, ms: 0, summary, facts };
      const data = { name: 'ShoalError', message, code, fields: facts };
      this.#channel.message(frameType.itemFailed, failed, encodeError(encoding, data));
    };
  }

  /** Every item before `next` was reported, none from there on was started. */
  ended(part: Part, isSpent: boolean, rssBytes: number): void {
    this.#prints.flush();
    const next = part.next < part.end ? part.next : part.end;
    const { chunk } = part.spec;
    this.#channel.send([this.#channel.writer.partEnded({ chunk, next, isSpent, rssBytes })]);
  }

  /** Its function could not be loaded. */
  unloadable(part: Part): void {
    const unloadable = part.task.unloadable;
    const error = unloadable?.error === undefined ? undefined : encodeError('v8', unloadable.error);
    const message = { chunk: part.spec.chunk, code: unloadable?.code, facts: unloadable?.facts };
    this.#channel.message(frameType.taskUnloadable, message, error);
  }
}

/** Files that call task functions; a stack ends there. */
const callers = new Set<string>();

/** Have stacks end where this file called the user's function. */
export function endStacksAt(url: string): void {
  callers.add(url);
}

function withoutOurFrames(data: RemoteErrorData): RemoteErrorData {
  const lines = data.stack?.split('\n') ?? [];
  const isOurs = (line: string): boolean => callers.values().some((url) => line.includes(url));
  const isFrame = (line: string): boolean => /^\s+at /.test(line);
  // In a bundle all of a child is one file: what it throws itself (a handle that was released) begins there as well.
  const top = lines.findIndex(isFrame);
  const theirs = lines.findIndex((line, at) => at > top && isFrame(line) && !isOurs(line));
  const from = top !== -1 && isOurs(lines[top] ?? '') && theirs !== -1 ? theirs : 0;
  const at = lines.findIndex((line, index) => index >= from && isOurs(line));
  return at === -1 ? data : { ...data, stack: lines.slice(0, at).join('\n') };
}
