import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MapRequest } from './gen/shoal/v1/job.ts';
import { readQuestion } from './map-items.ts';
import { mapRequests } from './messages.testkit.ts';

/** As the generated reader has it; undefined where the bytes are refused. */
function read(decode: (bytes: Buffer) => MapRequest, bytes: Buffer): MapRequest | undefined {
  try {
    return decode(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return undefined;
  }
}

function question(bytes: Buffer): MapRequest {
  const { received, start } = readQuestion(bytes);
  const items = Array.from({ length: received.count }, (_, nth) => {
    const target = Buffer.alloc(received.byteLengthOf(nth) + 3, 0xee);
    expect(received.copy(nth, target, 2)).toBe(target.byteLength - 1);
    expect([target[0], target[1], target.at(-1)]).toEqual([0xee, 0xee, 0xee]);
    return Uint8Array.from(target.subarray(2, -1));
  });
  return { start, items };
}

const sameOf = (message: MapRequest | undefined): string | undefined =>
  message === undefined ? undefined : Buffer.from(MapRequest.encode(message).finish()).toString('hex');

test('a message is read as the generated reader reads it, damaged ones too', () => {
  const damaged = fc
    .tuple(mapRequests, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), fc.boolean())
    .map(([message, changes, cut, isCut]) => {
      const bytes = Buffer.from(MapRequest.encode(message).finish());
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
      return isCut ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes;
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 100 }).map(Buffer.from)), (bytes) => {
      const wanted = sameOf(read((from) => MapRequest.decode(from), bytes));
      expect(sameOf(read(question, bytes)) === wanted).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('an item that is not there is an error, not an empty one', () => {
  const { received } = readQuestion(
    Buffer.from(MapRequest.encode(MapRequest.create({ items: [Buffer.from('1')] })).finish()),
  );
  expect(received.count).toBe(1);
  expect(() => received.byteLengthOf(1)).toThrow('a message of 1 items is asked for another one');
});
