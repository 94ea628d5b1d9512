import { isUtf8 } from 'node:buffer';
import { ShoalError } from '@shoal/errors';

const lineFeed = 0x0a;

/**
 * The same bytes, cut only between characters. The first line that is no UTF-8 ends them with INPUT_INVALID, after all
 * lines before it: a decoder would put U+FFFD in place of what it cannot read, and the item were not the one given.
 */
export async function* utf8Only(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let line = 1;
  let begun: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
    const whole = bytes.subarray(0, bytes.length - begunLength(bytes));
    begun = bytes.subarray(whole.length);
    if (!isUtf8(whole)) {
      const good = goodLines(whole);
      if (good.length > 0) yield good;
      throw invalid(source, line + lineFeedsIn(good));
    }
    line += lineFeedsIn(whole);
    if (whole.length > 0) yield whole;
  }
  if (begun.length > 0) throw invalid(source, line);
}

const invalid = (source: string, line: number): ShoalError =>
  new ShoalError('INPUT_INVALID', {
    source,
    line,
    reason: 'it is no UTF-8. Convert the input first, as with iconv -f windows-1252 -t utf-8',
  });

/** How many bytes at the end are a character that has begun and may go on in the next chunk. */
function begunLength(bytes: Uint8Array): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const byte = bytes[bytes.length - length] ?? 0;
    const isContinuation = (byte & 0xc0) === 0x80;
    if (isContinuation) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > length ? length : 0;
  }
  return 0;
}

/** All lines before the first that is no UTF-8; there is one. */
function goodLines(bytes: Uint8Array): Uint8Array {
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(lineFeed, start) + 1;
    if (end === 0 || !isUtf8(bytes.subarray(start, end))) return bytes.subarray(0, start);
    start = end;
  }
}

function lineFeedsIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === lineFeed) count++;
  return count;
}
