import { expect, test } from 'vitest';
import { settleConfig } from './config.ts';

test('a coordinator that is told nothing listens on loopback', () => {
  expect(settleConfig({}).listen).toEqual({ host: '127.0.0.1', port: 7300 });
});

test('an address that other machines reach is refused without insecure', () => {
  expect(() => settleConfig({ listen: '0.0.0.0:7300' })).toThrow(
    expect.objectContaining({ code: 'INSECURE_LISTEN', message: expect.stringContaining('--insecure') }),
  );
  expect(settleConfig({ listen: '0.0.0.0:7300', insecure: true }).listen.host).toBe('0.0.0.0');
});

test.each([0, -1, 0.5, Number.NaN])('a lease of %s is refused by name', (leaseMs) => {
  expect(() => settleConfig({ leaseMs })).toThrow(/leaseMs/);
});
