import { isIPv6 } from 'node:net';

/**
 * What counts as one peer: an IPv4 address, or the 64 bits of an IPv6 address that a host has to itself, and could
 * change the other 64 of with every connection.
 */
export function peerOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':');
    while (groups.length + behind.length < 8) groups.push('0');
    groups.push(...behind);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** The same for a call, whose peer grpc-js names with its port: `10.0.0.7:51234`, `fd00::7:51234`. */
export function peerOfCall(peer: string): string {
  return peerOf(peer.slice(0, Math.max(0, peer.lastIndexOf(':'))));
}
