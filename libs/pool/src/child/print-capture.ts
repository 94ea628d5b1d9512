/**
 * What tasks print, as whole lines with the item that printed them. Sent on the private descriptor, so that lines of
 * different items do not mix and each knows its origin; what native code writes goes through the pipes instead.
 *
 * Capped per item and per second; what is over the cap is counted, so that a flood costs a counter and blocks nobody.
 */

import { Buffer } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { defaultOutputLimits, type OutputLimits } from '../child-pool/output-limits.ts';
import { frameType } from '../frames.ts';
import type { Channel } from './channel.ts';
import { now } from './clock.ts';
import type { CurrentItem, ItemContext, PrintState } from './current-item.ts';
import type { PrintMessage } from './message.ts';
import type { PrintSinks, Take } from './print-sinks.ts';

type Stream = 'stdout' | 'stderr';
type PrintLimits = Pick<OutputLimits, 'printBytes' | 'printBytesPerSecond'>;

/** A print is sent at once as long as there are few of them; a flood is gathered. */
const sendsPerWindow = 20;
const windowMs = 10;
/** How long a line that is printed outside items may lack its end, or a count of dropped bytes may grow. */
const finishMs = 1_000;
/** Characters of one message: every one of them may take six bytes in it, and the pool reads none over 2 MiB. */
const messageCharsMax = 128 * 1024;
const gatheredBytesMax = 16 * 1024;
/** When the pool does not read, prints are what is dropped first. */
const backlogBytesMax = 1024 * 1024;

const { setTimeout } = globalThis;
const { byteLength } = Buffer;

export class PrintCapture {
  readonly #channel: Channel;
  readonly #current: CurrentItem;
  readonly #sinks: PrintSinks | undefined;
  readonly #outside: PrintState = { ...newState(), isFinished: true };
  #gathered: { stream: Stream; item: ItemContext | undefined; text: string }[] = [];
  #gatheredBytes = 0;
  #windowStart = 0;
  #windowSends = 0;
  #secondStart = 0;
  #secondBytes = 0;
  #isFlushDue = false;
  readonly #unfinished = new Map<PrintState, ItemContext | undefined>();
  readonly #replaced = new Map<Stream, PropertyDescriptor>();
  #itemBytesMax: number = defaultOutputLimits.printBytes;
  #secondBytesMax: number = defaultOutputLimits.printBytesPerSecond;
  #ofItem = '';
  #ofProcess = '';
  /** What the last text that was cut fell victim to. */
  #reason = '';

  /** `sinks`: what stands in both streams already, if anything does. */
  constructor(channel: Channel, current: CurrentItem, sinks?: PrintSinks) {
    this.#channel = channel;
    this.#current = current;
    this.#sinks = sinks;
  }

  /** Take over `process.stdout` and `process.stderr`, lazily: a task that prints nothing pays nothing. */
  install(
    stdio: 'forward' | 'ignore',
    { printBytes, printBytesPerSecond }: PrintLimits = defaultOutputLimits,
  ): void {
    this.#itemBytesMax = printBytes;
    this.#secondBytesMax = printBytesPerSecond;
    this.#ofItem = `an item may print ${bytesText(printBytes)} (maxPrintBytesPerItem)`;
    this.#ofProcess = `a process may print ${bytesText(printBytesPerSecond)} a second (maxPrintBytesPerSecond)`;
    const stdout: Take = stdio === 'ignore' ? () => {} : (chunk) => this.#write('stdout', chunk);
    // An ignored stderr still goes through the pipe: its last lines explain a death.
    const stderr: Take | undefined = stdio === 'ignore' ? undefined : (chunk) => this.#write('stderr', chunk);
    if (this.#sinks !== undefined) {
      this.#sinks.passTo({ stdout, ...(stderr === undefined ? {} : { stderr }) });
      return;
    }
    this.#replace('stdout', stdout);
    if (stderr !== undefined) this.#replace('stderr', stderr);
  }

  /** Give them back. */
  uninstall(): void {
    for (const [stream, original] of this.#replaced) Object.defineProperty(process, stream, original);
    this.#replaced.clear();
  }

  #replace(stream: Stream, take: Take): void {
    const descriptor = Object.getOwnPropertyDescriptor(process, stream);
    if (descriptor !== undefined) this.#replaced.set(stream, descriptor);
    const original = descriptor?.get;
    let patched: NodeJS.WriteStream | undefined;
    Object.defineProperty(process, stream, {
      configurable: true,
      enumerable: true,
      get: () => {
        if (patched === undefined) {
          patched = original?.call(process) as NodeJS.WriteStream;
          patched.write = writeInto(take);
        }
        return patched;
      },
    });
  }

  #write(stream: Stream, chunk: string | Uint8Array): void {
    const item = this.#current.get();
    const state = item === undefined ? this.#outside : stateOf(item);
    if (typeof chunk !== 'string') {
      // A character may come in pieces: byte by byte, or cut where a pipe was full.
      state.decoders[stream] ??= new StringDecoder('utf8');
      this.#print(stream, item, state, state.decoders[stream].write(chunk));
    } else {
      const torn = state.decoders[stream]?.end() ?? '';
      this.#print(stream, item, state, torn + chunk);
    }
  }

  #print(stream: Stream, item: ItemContext | undefined, state: PrintState, text: string): void {
    const whole = state.partial[stream] + text;
    const end = whole.lastIndexOf('\n');
    state.partial[stream] = end === -1 ? whole : whole.slice(end + 1);
    // A line without an end is cut where an item's share is used up.
    if (state.partial[stream].length > this.#itemBytesMax) {
      this.#add(stream, item, state, state.partial[stream]);
      state.partial[stream] = '';
    }
    if (end !== -1) this.#add(stream, item, state, whole.slice(0, end));
    if (state.isFinished && (state.droppedBytes > 0 || state.partial[stream] !== '')) {
      this.#finishLater(item, state);
    }
  }

  #add(stream: Stream, item: ItemContext | undefined, state: PrintState, text: string): void {
    const time = now();
    const accepted = this.#accept(text, item === undefined ? undefined : state, time);
    if (accepted.length < text.length) this.#drop(state, byteLength(text) - byteLength(accepted));
    if (accepted === '') return;
    this.#gather(stream, item, accepted);
    if (time - this.#windowStart > windowMs) {
      this.#windowStart = time;
      this.#windowSends = 0;
    }
    if (this.#windowSends++ < sendsPerWindow || this.#gatheredBytes > gatheredBytesMax) this.flush();
    else this.#flushLater();
  }

  #gather(stream: Stream, item: ItemContext | undefined, text: string): void {
    const last = this.#gathered[this.#gathered.length - 1];
    if (last !== undefined && last.stream === stream && last.item === item) last.text += `\n${text}`;
    else this.#gathered[this.#gathered.length] = { stream, item, text };
    this.#gatheredBytes += text.length;
  }

  #drop(state: PrintState, bytes: number): void {
    state.droppedBytes += bytes;
    state.droppedBy = this.#reason;
  }

  /** As much of the text as may still be sent. */
  #accept(text: string, item: PrintState | undefined, time: number): string {
    if (this.#channel.backlogBytes > backlogBytesMax) {
      this.#reason = 'prints are not read as fast as they are written';
      return '';
    }
    if (time - this.#secondStart > 1_000) {
      this.#secondStart = time;
      this.#secondBytes = 0;
    }
    let room = this.#secondBytesMax - this.#secondBytes;
    this.#reason = this.#ofProcess;
    if (item !== undefined && this.#itemBytesMax - item.sentBytes < room) {
      room = this.#itemBytesMax - item.sentBytes;
      this.#reason = this.#ofItem;
    }
    if (room <= 0) return '';
    const bytes = byteLength(text);
    const accepted = bytes <= room ? text : cutToBytes(text, room);
    const acceptedBytes = bytes < room ? bytes : room;
    this.#secondBytes += acceptedBytes;
    if (item !== undefined) item.sentBytes += acceptedBytes;
    return accepted;
  }

  /** The item is done: its last line may lack its end, and what was dropped is said. */
  finish(item: ItemContext): void {
    if (item.prints === undefined) return;
    this.#finish(item, item.prints);
    item.prints.isFinished = true;
  }

  /** The child leaves. */
  finishAll(): void {
    for (const [state, item] of this.#unfinished) this.#finish(item, state);
    this.#finish(undefined, this.#outside);
    this.flush();
  }

  #finish(item: ItemContext | undefined, state: PrintState): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const text = state.partial[stream] + (state.decoders[stream]?.end() ?? '');
      state.partial[stream] = '';
      if (text !== '') this.#add(stream, item, state, text);
    }
    this.#sayDropped(item, state);
  }

  /** What the limits took is counted in a line that no limit takes. */
  #sayDropped(item: ItemContext | undefined, state: PrintState): void {
    if (state.droppedBytes === 0) return;
    const bytes = state.droppedBytes.toLocaleString('en-US');
    state.droppedBytes = 0;
    this.#gather('stderr', item, `… ${bytes} more bytes were dropped: ${state.droppedBy}`);
    this.#flushLater();
  }

  /** Where no item's end does it. */
  #finishLater(item: ItemContext | undefined, state: PrintState): void {
    this.#unfinished.set(state, item);
    if (this.#unfinished.size > 1) return;
    setTimeout(() => {
      const unfinished = [...this.#unfinished];
      this.#unfinished.clear();
      for (const [each, itsItem] of unfinished) this.#finish(itsItem, each);
    }, finishMs).unref();
  }

  /** Send what was gathered. */
  flush(): void {
    if (this.#gathered.length === 0) return;
    const prints = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    // By index: results wait for this, and a task may have replaced the iterator of arrays.
    for (let at = 0; at < prints.length; at++) {
      const { stream, item, text } = prints[at] as (typeof prints)[number];
      const who =
        item === undefined ? {} : { chunk: item.part.chunk, index: item.index, task: item.part.task };
      for (const piece of piecesOf(text)) {
        const message: PrintMessage = { stream, text: piece, ...who };
        this.#channel.message(frameType.print, message);
      }
    }
  }

  #flushLater(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setTimeout(() => {
      this.#isFlushDue = false;
      this.flush();
    }, windowMs).unref();
  }
}

/** `64 KiB`; a child loads nothing but its own. */
function bytesText(bytes: number): string {
  const [unit, size] = bytes >= 2 ** 20 ? ['MiB', 2 ** 20] : bytes >= 2 ** 10 ? ['KiB', 2 ** 10] : ['B', 1];
  return `${Math.round((bytes / Number(size)) * 10) / 10} ${unit}`;
}

function stateOf(item: ItemContext): PrintState {
  item.prints ??= newState();
  return item.prints;
}

function newState(): PrintState {
  return {
    partial: { stdout: '', stderr: '' },
    decoders: {},
    sentBytes: 0,
    droppedBytes: 0,
    droppedBy: '',
    isFinished: false,
  };
}

/** A text in messages of a size that the pool takes, cut between lines where there are any. */
function* piecesOf(text: string): Generator<string> {
  let rest = text;
  while (rest.length > messageCharsMax) {
    const end = rest.lastIndexOf('\n', messageCharsMax);
    yield rest.slice(0, end === -1 ? messageCharsMax : end);
    rest = rest.slice(end === -1 ? messageCharsMax : end + 1);
  }
  yield rest;
}

function cutToBytes(text: string, bytes: number): string {
  // Cutting inside a character would leave a broken one at the end.
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}

/** A `write` of a stream that gives its chunks away. */
export function writeInto(take: Take): NodeJS.WriteStream['write'] {
  return (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    done?: (error?: Error | null) => void,
  ): boolean => {
    const isText = typeof encoding !== 'string' || /^utf-?8$/i.test(encoding);
    if (typeof chunk === 'string' && !isText) take(Buffer.from(chunk, encoding));
    else take(chunk);
    const callback = typeof encoding === 'function' ? encoding : done;
    if (callback !== undefined) process.nextTick(callback);
    return true;
  };
}
