import { ShoalError } from '@shoal/errors';

/** A payload that may come in parts, as blocks and runs do on the wire. */
interface Part {
  readonly first: number;
  readonly count: number;
  readonly payload: Uint8Array;
  readonly more: boolean;
  readonly totalBytes: number;
}

/** Puts the parts of payloads together again, one payload at a time. What does not fit together is refused. */
export class PartCollector<T extends Part> {
  readonly #maxBytes: number;
  readonly #option: string;
  #head: T | undefined;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** `option` is what a payload over `maxBytes` is told to raise. */
  constructor(maxBytes: number, option: string) {
    this.#maxBytes = maxBytes;
    this.#option = option;
  }

  /** Takes a part; answers with the whole when the last one is here. */
  take(part: T): T | undefined {
    const head = this.#head ?? part;
    if (part.first !== head.first || part.count !== head.count) {
      throw invalid(`a part of ${part.first}+${part.count} came inside ${head.first}+${head.count}`);
    }
    this.#bytes += part.payload.byteLength;
    const announced = Math.max(this.#bytes, head.totalBytes);
    if (announced > this.#maxBytes) {
      this.#clear();
      throw new ShoalError('LIMIT_REACHED', {
        what: `Size of the items ${head.first} to ${head.first + head.count - 1}`,
        value: announced,
        limit: this.#maxBytes,
        option: this.#option,
      });
    }
    if (this.#head === undefined && !part.more) {
      this.#clear();
      return part;
    }
    this.#head = head;
    this.#parts.push(part.payload);
    if (part.more) return undefined;
    const payload = Buffer.concat(this.#parts, this.#bytes);
    this.#clear();
    if (payload.byteLength !== head.totalBytes) {
      throw invalid(`${head.totalBytes} bytes were announced and ${payload.byteLength} came`);
    }
    return { ...head, payload, more: false, totalBytes: 0 };
  }

  #clear(): void {
    this.#head = undefined;
    this.#parts = [];
    this.#bytes = 0;
  }
}

const invalid = (reason: string): ShoalError => new ShoalError('REQUEST_INVALID', { field: 'part', reason });
