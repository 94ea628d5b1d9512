import { isIPv6 } from 'node:net';
import { ShoalError } from '@shoal/errors';

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0 asks the operating system for a free one. */
  readonly port: number;
}

/** Reads `host:port` or `[v6]:port`. A `REQUEST_INVALID` error names the option, and what is wrong with it. */
export function parseListenAddress(text: string, option: string = 'listen'): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535)) {
    throw new ShoalError('REQUEST_INVALID', {
      field: option,
      reason: `"${text}" is no address; give HOST:PORT, such as 127.0.0.1:7300`,
    });
  }
  return { host, port };
}

/** `host:port`, with the brackets that an IPv6 address needs. */
export function formatAddress({ host, port }: ListenAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * What others dial, as far as a listener can tell: one that listens on every address has none that leads here from another
 * machine, so the host is left to the reader.
 */
export function dialledAddress({ host, port }: ListenAddress): string {
  const isEveryAddress = /^(?:0+\.0+\.0+\.0+|[0:]+)$/.test(host);
  return isEveryAddress ? `HOST:${port}` : formatAddress({ host, port });
}

/** Whether only this machine can reach the host. Names other than localhost may lead anywhere. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
