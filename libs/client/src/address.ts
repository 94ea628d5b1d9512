import { isIP } from 'node:net';

/** Where a coordinator is found. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** `HOST:PORT`, as gRPC and people write it. */
  readonly text: string;
  /** Whether it is on this very machine, so that nobody in between can read what is sent. */
  readonly loopback: boolean;
}

const defaultPort = 7300;

/**
 * Reads `HOST:PORT`, `HOST` (port 7300), `[IPv6]:PORT`.
 *
 * Throws a TypeError for anything but a string and a RangeError for one that is no address.
 */
export function parseAddress(address: unknown): Address {
  if (typeof address !== 'string') {
    throw new TypeError(
      `address has to be a string such as '127.0.0.1:${defaultPort}', not ${typeof address}.`,
    );
  }
  const [, bracketed, plain, digits] =
    /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === undefined || port < 1 || port > 65_535 || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    throw new RangeError(
      `address has to be HOST:PORT, such as 127.0.0.1:${defaultPort}, not ${JSON.stringify(address)}.`,
    );
  }
  const text = bracketed === undefined ? `${host}:${port}` : `[${host}]:${port}`;
  const loopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  return { host, port, text, loopback };
}
