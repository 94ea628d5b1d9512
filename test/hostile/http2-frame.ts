import { Buffer } from 'node:buffer';

/** A frame of HTTP/2 as it stands on the wire, whatever sense it makes. */
export function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

// A header that is not indexed: a name of one letter, and a value of 100.
const field = Buffer.concat([Buffer.from([0x00, 0x01, 0x61, 0x64]), Buffer.alloc(100, 0x62)]);

/** Headers that fill a frame, and do not end. */
export const headerBlock: Buffer = Buffer.concat(Array.from({ length: 150 }, () => field));
