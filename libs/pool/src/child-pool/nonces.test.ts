import { expect, test } from 'vitest';
import { nonceBytes } from '../frames.ts';
import { Nonces } from './nonces.ts';

test('no nonce is given out twice, however many are drawn', () => {
  const nonces = new Nonces();
  const given = Array.from({ length: 2_000 }, () => Buffer.from(nonces.next()).toString('hex'));
  expect(given.every((nonce) => nonce.length === 2 * nonceBytes)).toBe(true);
  expect(new Set(given).size).toBe(given.length);
});

test('the kernel is asked once for many of them', () => {
  const asked: number[] = [];
  const nonces = new Nonces((count) => {
    asked.push(count);
    return new Uint8Array(count);
  });
  for (let i = 0; i < 2_000; i++) nonces.next();
  expect(asked.length).toBeLessThan(20);
  expect(Math.max(...asked)).toBe(256 * nonceBytes);
});
