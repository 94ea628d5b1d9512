import { expect, it } from 'vitest';
import { randomBytes } from './random-bytes.ts';

const files = ['/dev/urandom', '/dev/null', '/there/is/no/such/file'];

it.each(files)('gives as many bytes as are asked for, and others each time, with %s', (file) => {
  const [one, other] = [randomBytes(8, file), randomBytes(8, file)];
  expect(one.byteLength).toBe(8);
  expect([...one]).not.toEqual([...other]);
  expect([...one]).not.toEqual(Array(8).fill(0));
});
