import { Encoding } from '@shoal/protocol';

const names: ReadonlyMap<Encoding, string> = new Map([
  [Encoding.V8, 'v8'],
  [Encoding.JSON, 'json'],
  [Encoding.BYTES, 'bytes'],
]);

/** How people know an encoding. One of a later release is a number to us: whoever accepts it is found all the same. */
export const encodingName = (encoding: Encoding): string => names.get(encoding) ?? `encoding ${encoding}`;
