import type { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serializerOf } from './frame-writer.ts';
import { DataRequest, DataResponse } from './gen/shoal/v1/agent.ts';
import { ItemAttempt, ItemFailure } from './gen/shoal/v1/common.ts';
import { MapRequest, MapResponse, PushItemsRequest, ReadResultsResponse } from './gen/shoal/v1/job.ts';
import {
  dataRequests,
  dataResponses,
  mapRequests,
  mapResponses,
  pushItemsRequests,
  readResultsResponses,
} from './messages.testkit.ts';

interface Codec<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

/** What gRPC makes of a message, without its header; around it stands what must stay as it is. */
function writerOf<T>(codec: Codec<T>): (message: T) => Buffer<ArrayBuffer> {
  const serialize = serializerOf(codec);
  return (message) => {
    const unassembled = serialize(message);
    expect(unassembled.byteLength).toBe(unassembled.length);
    const frame = Buffer.alloc(5 + unassembled.length + 1, 0xee);
    expect(unassembled.copy(frame, 5)).toBe(unassembled.length);
    expect([frame.subarray(0, 5).toString('hex'), frame.at(-1)]).toEqual(['eeeeeeeeee', 0xee]);
    return frame.subarray(5, -1);
  };
}

const generated = <T>(codec: Codec<T>, message: T): Buffer => Buffer.from(codec.encode(message).finish());

function writesAsGenerated<T>(name: string, codec: Codec<T>, messages: fc.Arbitrary<T>): void {
  test(`${name}: the bytes are those that the generated writer gives`, () => {
    const serialize = writerOf(codec);
    fc.assert(
      fc.property(messages, (message) => {
        const written = serialize(message);
        // Compared as buffers: a failing expect() would print 70,000 bytes.
        expect(written.equals(generated(codec, message))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test(`${name}: what was written is read back`, () => {
    const serialize = writerOf(codec);
    fc.assert(
      fc.property(messages, (message) => {
        const written = serialize(message);
        expect(serialize(codec.decode(written)).equals(written)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test(`${name}: hostile bytes are read as something or refused with an error, and soon`, () => {
    const serialize = writerOf(codec);
    const damaged = fc
      .tuple(messages, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat(), fc.boolean())
      .map(([message, changes, cut, isCut]) => {
        const bytes = serialize(message);
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        return isCut ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        try {
          codec.decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 500 },
    );
  });
}

writesAsGenerated('DataRequest', DataRequest, dataRequests);
writesAsGenerated('DataResponse', DataResponse, dataResponses);
writesAsGenerated('PushItemsRequest', PushItemsRequest, pushItemsRequests);
writesAsGenerated('ReadResultsResponse', ReadResultsResponse, readResultsResponses);
writesAsGenerated('MapRequest', MapRequest, mapRequests);
writesAsGenerated('MapResponse', MapResponse, mapResponses);

describe('what the writer is for', () => {
  test('many small fields around the end of the scratch keep their lengths', () => {
    const serialize = writerOf(DataRequest);
    for (let reports = 0; reports < 400; reports++) {
      const message = DataRequest.create({
        sequence: reports,
        reports: Array.from({ length: reports }, (_, i) => ({
          attempt: i,
          runs: [{ first: i, count: 1, payload: new Uint8Array(i % 130), agent: 'a'.repeat(i % 7) }],
        })),
      });
      expect(serialize(message).equals(generated(DataRequest, message)), `${reports} reports`).toBe(true);
    }
  });

  test('an embedded message may end anywhere in the scratch, at its last byte too', () => {
    const serialize = writerOf(DataRequest);
    for (let length = 3900; length < 4200; length++) {
      const prints = [{ text: 'x'.repeat(length) }, { text: 'y' }];
      const message = DataRequest.create({ prints: [{ jobId: 'j', prints }] });
      expect(serialize(message).equals(generated(DataRequest, message)), `${length} letters`).toBe(true);
    }
  });

  test('a payload that is read is a view of the message, not a copy', () => {
    const message = writerOf(MapRequest)(MapRequest.create({ items: [new Uint8Array(70_000)] }));
    const [item] = MapRequest.decode(message).items;
    expect(item?.buffer).toBe(message.buffer);
  });

  test('a number that does not fit its field is refused, not cut', () => {
    const serialize = writerOf(PushItemsRequest);
    const start = (firstIndex: number): PushItemsRequest => ({
      message: { $case: 'start', value: { jobId: 'j', firstIndex, clientSession: '' } },
    });
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => serialize(start(bad))).toThrow(`invalid uint64: ${bad}`);
    }
    const attempt = { agent: '', signal: '', withItsServer: false };
    expect(() => writerOf(ItemAttempt)({ ...attempt, pid: 2 ** 32 })).toThrow('invalid uint32');
    expect(() => writerOf(ItemAttempt)({ ...attempt, exitCode: 2 ** 31 })).toThrow('invalid int32');
  });

  test('an index of 2^53 or more on the wire is refused, not rounded', () => {
    // Field 2 (first_index) of field 1 (start) with the value 2^63.
    const bytes = Buffer.from('0a0b10ffffffffffffffffff01', 'hex');
    expect(() => PushItemsRequest.decode(bytes)).toThrow('larger than Number.MAX_SAFE_INTEGER');
  });

  test('an enum value, a field and a case that are not known yet are overlooked', () => {
    const itself = generated(MapRequest, MapRequest.create({ items: [Buffer.from('1')] }));
    const futureField = Buffer.from('fa0603616263', 'hex'); // field 111, "abc"
    expect(MapRequest.decode(Buffer.concat([itself, futureField])).items).toHaveLength(1);
    expect(PushItemsRequest.decode(futureField)).toEqual({ message: undefined });
    const futureKind = Buffer.from('1863', 'hex'); // field 3 (kind), 99
    expect(ItemFailure.decode(futureKind)).toMatchObject({ index: 0, kind: 99 });
  });
});
