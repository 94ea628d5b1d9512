/**
 * What a fork server says on its control socket, as the pool reads it: records of four numbers of 32 bits (kind, id, pid,
 * status), as libs/fork-server/src/server.h has them, and two of its JavaScript, which speaks before it serves.
 */
import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import type { ChildExit } from '../core/chunk.ts';

/** The first copies, with the numbers from 1, are trials. */
export const selfTests = 2;
/** Of a child: the first one says what its modules have printed while they were loaded. */
export const firstOrder: number = selfTests + 1;

/** What a trial says of itself; no two may say the same. */
export interface SelfTestResult {
  readonly pid: number;
  readonly random: number;
  readonly uuid: string;
}

/** Kinds of news. */
const newsKind = { forked: 1, failed: 2, exited: 3, ready: 10, refused: 11 } as const;

const recordBytes = 16;
const reasonBytesMax = 2_048;

export type ForkNews =
  | { readonly kind: 'forked'; readonly id: number; readonly pid: number }
  | { readonly kind: 'failed'; readonly id: number; readonly errno: number }
  | { readonly kind: 'exited'; readonly exit: ChildExit & { readonly pid: number } }
  /** Everything is loaded: it waits for orders. */
  | { readonly kind: 'ready' }
  /** It must not be copied, and leaves. */
  | { readonly kind: 'refused'; readonly why: string };

/** A record that the server's JavaScript writes; `why` of at most 2,048 bytes comes after it. */
export function forkRecord(kind: 'ready' | 'refused', why: string = ''): Buffer {
  const text = Buffer.from(why).subarray(0, reasonBytesMax);
  const record = Buffer.alloc(recordBytes);
  record.writeUInt32LE(newsKind[kind], 0);
  record.writeUInt32LE(text.length, 12);
  return Buffer.concat([record, text]);
}

/** Puts records together out of what arrives. */
export class ForkNewsReader {
  readonly #onNews: (news: ForkNews) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onNews: (news: ForkNews) => void) {
    this.#onNews = onNews;
  }

  push(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= recordBytes) {
      const kind = bytes.readUInt32LE(0);
      const status = bytes.readUInt32LE(12);
      const length = recordBytes + (kind === newsKind.refused ? status : 0);
      if (bytes.length < length) break;
      const news = newsOf(kind, bytes.readUInt32LE(4), bytes.readUInt32LE(8), status, bytes);
      bytes = bytes.subarray(length);
      if (news !== undefined) this.#onNews(news);
    }
    this.#rest = bytes;
  }
}

function newsOf(kind: number, id: number, pid: number, status: number, bytes: Buffer): ForkNews | undefined {
  switch (kind) {
    case newsKind.forked:
      return { kind: 'forked', id, pid };
    case newsKind.failed:
      return { kind: 'failed', id, errno: status };
    case newsKind.exited:
      return { kind: 'exited', exit: { pid, ...exitOf(status) } };
    case newsKind.ready:
      return { kind: 'ready' };
    case newsKind.refused:
      return { kind: 'refused', why: bytes.toString('utf8', recordBytes, recordBytes + status) };
    default:
      return undefined;
  }
}

/** A status as waitpid has it. */
function exitOf(status: number): Pick<ChildExit, 'exitCode' | 'signal'> {
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff, signal: undefined };
  return { exitCode: undefined, signal: signalNames.get(signal) ?? `signal ${signal}` };
}

// The first name of each number: SIGABRT and SIGIOT are one.
const signalNames = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
);
