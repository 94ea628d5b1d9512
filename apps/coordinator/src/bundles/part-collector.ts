import { bytesText, ShoalError } from '@shoal/errors';

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
  readonly #code: 'ITEM_TOO_LARGE' | 'RESULT_TOO_LARGE';
  #head: T | undefined;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** `option` is what a payload over `maxBytes` is told to raise; `code` what it is when it is a single one. */
  constructor(maxBytes: number, option: string, code: 'ITEM_TOO_LARGE' | 'RESULT_TOO_LARGE') {
    this.#maxBytes = maxBytes;
    this.#option = option;
    this.#code = code;
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
      throw this.#tooLarge(head, announced);
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

  /** One that is alone in its payload is named, as whoever encoded it would have. */
  #tooLarge({ count, first }: T, bytes: number): ShoalError {
    const [limit, option] = [this.#maxBytes, this.#option];
    const [limitName, things] =
      this.#code === 'ITEM_TOO_LARGE' ? ['itemBytes', 'items'] : ['resultBytes', 'results'];
    if (count === 1) {
      const facts = { limitName, index: first, size: bytesText(bytes), limit: bytesText(limit), option };
      return new ShoalError(this.#code, facts);
    }
    const what = `Size of the ${things} ${first} to ${first + count - 1}`;
    return new ShoalError('LIMIT_REACHED', { limitName, what, value: bytes, limit, option });
  }

  #clear(): void {
    this.#head = undefined;
    this.#parts = [];
    this.#bytes = 0;
  }
}

const invalid = (reason: string): ShoalError => new ShoalError('REQUEST_INVALID', { field: 'part', reason });
