import { ShoalError } from '@shoal/errors';
import { decodeValue } from '../values/block-codec.ts';

/** The values of a block of results; those that are meant stand from `offset` on. */
export function decodeValues(bytes: Uint8Array, offset: number, count: number): readonly unknown[] {
  const values = decodeValue(bytes);
  if (!Array.isArray(values) || values.length < offset + count) {
    throw new ShoalError('INTERNAL', { reason: `a block of ${count} results does not hold them` });
  }
  return values;
}
