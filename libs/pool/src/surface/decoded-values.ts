import { ShoalError } from '@shoal/errors';
import { decodeList } from '../values/block-codec.ts';
import type { ValueList } from '../values/number-list.ts';

/** The values of a block of results; those that are meant stand from `offset` on. */
export function decodeValues(bytes: Uint8Array, offset: number, count: number): ValueList {
  const values = decodeList(bytes);
  if (values.length < offset + count) {
    throw new ShoalError('INTERNAL', { reason: `a block of ${count} results does not hold them` });
  }
  return values;
}
