/**
 * What a child's frames say, as events for the pool machine. The bytes that an event came with stay in hand until the
 * machine has said whether they are true.
 */

import type { ChunkId } from '../core/chunk.ts';
import type { PoolEvent } from '../core/pool-event.ts';
import {
  FrameError,
  frameType,
  readItemStarted,
  readMessage,
  readPartBegan,
  readPartEnded,
  readValues,
} from '../frames.ts';
import { canBeBlock } from '../values/block-shape.ts';
import { decodeError } from '../values/remote-error.ts';
import type { ChildProcess } from './child-process.ts';
import type { ChunkEndingDetail, ChunkListener, Encoding } from './chunk-request.ts';
import type { ChunkTraces } from './chunk-trace.ts';
import { readExiting, readItemFailed, readStarted, readTaskUnloadable } from './received-message.ts';

/** Passed on if the machine says so, dropped otherwise: a report, or what explains an ending. */
export type InHand = (() => void) | ChunkEndingDetail | undefined;

export interface ChildNews {
  readonly event: PoolEvent;
  readonly inHand?: InHand;
}

/**
 * What a frame says; undefined where it is nothing to decide about. `encodingOf` is that of a chunk; undefined where it has
 * ended. Throws a {@link FrameError}.
 */
export function newsOf(
  child: ChildProcess,
  type: number,
  body: Buffer,
  listener: ChunkListener,
  traces: ChunkTraces,
  encodingOf: (chunk: ChunkId) => Encoding | undefined,
): ChildNews | undefined {
  const atMs = performance.now();
  const news = { atMs, child: child.id };
  switch (type) {
    case frameType.values: {
      const { chunk, first, count, runMs, payload: bytes } = readValues(body);
      const encoding = encodingOf(chunk);
      if (encoding !== undefined && !canBeBlock(encoding, bytes, count)) {
        throw new FrameError(`Bytes that are no block of ${count} values.`);
      }
      return {
        event: { type: 'itemsSucceeded', atMs, child: child.id, chunk, first, count, runMs },
        inHand: () => {
          const run = { first, count, bytes, runMs, pid: child.pid ?? 0 };
          traces.succeeded(chunk, run);
          listener.results(chunk, run);
        },
      };
    }
    case frameType.itemStarted:
      return { event: { type: 'itemStarted', ...news, ...readItemStarted(body) } };
    case frameType.itemFailed: {
      const { chunk, ...failure } = readItemFailed(body);
      return {
        event: { type: 'itemFailed', ...news, chunk, index: failure.index },
        inHand: () => listener.itemFailed(chunk, { ...failure, pid: child.pid ?? 0 }),
      };
    }
    case frameType.partBegan:
      return { event: { type: 'partBegan', atMs, child: child.id, chunk: readPartBegan(body).chunk } };
    case frameType.partEnded: {
      const { chunk, isSpent, next, rssBytes } = readPartEnded(body);
      if (rssBytes > 0) child.rssBytes = rssBytes;
      return { event: { type: 'partEnded', atMs, child: child.id, chunk, next, isSpent } };
    }
    case frameType.started: {
      const { initializerMs } = child;
      child.says(readStarted(body).pid);
      return {
        event: { type: 'childStarted', ...news, ...(initializerMs === undefined ? {} : { initializerMs }) },
      };
    }
    case frameType.ready:
      return { event: { type: 'childReady', ...news } };
    case frameType.initializerThrew:
      child.initializerError = decodeError('v8', readMessage(body).bytes);
      return { event: { type: 'initializerThrew', ...news } };
    case frameType.taskUnloadable: {
      const { chunk, code, facts, error } = readTaskUnloadable(body);
      const thrown = error.length === 0 ? {} : { error: decodeError('v8', error) };
      return {
        event: { type: 'taskUnloadable', ...news, chunk },
        inHand: { failure: { code, facts }, ...thrown },
      };
    }
    case frameType.exiting:
      return { event: { type: 'childExiting', ...news, ...readExiting(body) } };
    case frameType.bye:
      return undefined;
    default:
      throw new FrameError(`A frame of type ${type}.`);
  }
}
