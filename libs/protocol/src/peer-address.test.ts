import { expect, test } from 'vitest';
import { peerOf, peerOfCall } from './peer-address.ts';

test.each([
  ['10.0.0.7', '10.0.0.7'],
  ['::ffff:10.0.0.7', '10.0.0.7'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8::2:0:0:0:1', '2001:db8:0:2::/64'],
])('%s is the peer %s', (address, peer) => {
  expect(peerOf(address)).toBe(peer);
});

test('the port of a call does not count', () => {
  expect(peerOfCall('10.0.0.7:51234')).toBe('10.0.0.7');
  expect(peerOfCall('2001:db8:1:2:3:4:5:6:51234')).toBe('2001:db8:1:2::/64');
  expect(peerOfCall('unknown')).toBe('');
});
