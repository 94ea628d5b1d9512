import { isIP, isIPv6 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

/** Names and addresses under which this machine may be reached: those that a certificate for it is good for. */
export function machineHosts(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) =>
    // An address with a scope (fe80::1%eth0) means something on this machine alone.
    (each ?? []).flatMap(({ address, scopeid }) => (scopeid ? [] : [address])),
  );
  return [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...addresses])].filter(isHost);
}

/** A name or address as people write it: OpenSSL reads an address of IPv6 out of a certificate as FD00:0:0:0:0:0:0:2. */
export function canonicalHost(host: string): string {
  return isIPv6(host) && !host.includes('%') ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
}

/** Whether a text can stand in a certificate as a name or address. */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes('%');
  // Numbers with dots are an address that somebody mistyped; as a name nobody would ever ask for it.
  if (/^[\d.]+\.[\d.]+$/.test(text) || text.length > 253) return false;
  return /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/.test(
    text,
  );
}
