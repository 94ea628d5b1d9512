import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { createSecureContext, connect as tlsConnect } from 'node:tls';
import { domainToASCII } from 'node:url';
import { CallCredentials, ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { oddAddress, tlsError } from './tls-failure.ts';

/** Certificates and key of somebody who connects, as PEM. */
export interface DialMaterial {
  /** Whom to trust. Undefined: the authorities that Node trusts. */
  readonly ca?: string | undefined;
  /** Who one is, with the key for it. Both or none. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** How to connect. */
export interface DialOptions {
  /**
   * Read anew for every connection, so that a certificate that was replaced is used from the next one on. Undefined:
   * no encryption.
   */
  readonly tls?: (() => DialMaterial | Promise<DialMaterial>) | undefined;
  /** Shown with every call. */
  readonly token?: string | undefined;
  /** Hears of each socket before it is used. */
  readonly onSocket?: (socket: Socket) => void;
}

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type Target = Parameters<ChannelCredentials['_createSecureConnector']>[0];

/**
 * Credentials of a client's channel: TLS 1.3 or plain, with a token or without.
 *
 * Not those of grpc-js, for four reasons: theirs keep the certificate that they were made with; they say what failed
 * in OpenSSL's words; they warn on stderr where a host is an IP address; and they refuse a token without TLS, which is
 * right but on loopback (that it is nowhere else is seen to by the callers of this).
 */
export class DialCredentials extends ChannelCredentials {
  readonly #options: DialOptions;
  readonly #perCall: CallCredentials;

  constructor(options: DialOptions = {}) {
    super();
    this.#options = options;
    this.#perCall = options.token === undefined ? CallCredentials.createEmpty() : bearer(options.token);
  }

  _isSecure(): boolean {
    return this.#options.tls !== undefined;
  }

  _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  _createSecureConnector(target: Target): SecureConnector {
    const { tls, onSocket } = this.#options;
    return {
      connect: async (plain) => {
        const socket = tls === undefined ? plain : await secured(plain, hostOf(target), await tls());
        onSocket?.(socket);
        return { socket, secure: tls !== undefined };
      },
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => this.#perCall,
      destroy: () => {},
    };
  }
}

function bearer(token: string): CallCredentials {
  return credentials.createFromMetadataGenerator((_, done) => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    done(null, metadata);
  });
}

/** Of every TLS connection, on both sides. */
export const tlsVersion: 'TLSv1.3' = 'TLSv1.3';

function secured(socket: Socket, host: string, { ca, cert, key }: DialMaterial): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy();
      reject(tlsError(error, host));
    };
    if (isOddAddress(host)) {
      socket.destroy();
      reject(oddAddress(host));
      return;
    }
    try {
      const secureContext = createSecureContext({ ca, cert, key, minVersion: tlsVersion });
      const encrypted = tlsConnect({
        ALPNProtocols: ['h2'],
        socket,
        host,
        secureContext,
        // RFC 6066 forbids an address here; the certificate is compared with `host` all the same.
        ...(isIP(host) === 0 ? { servername: host } : {}),
      });
      encrypted.once('secureConnect', () => resolve(encrypted));
      encrypted.on('error', fail);
      encrypted.once('close', () =>
        fail(new Error('connection reset during the TLS handshake (ECONNRESET)')),
      );
    } catch (error) {
      fail(error as Error);
    }
  });
}

/**
 * Whether this is an IPv4 address in other than the usual way: `127.1`, `0x7f.0.0.1`, `0127.0.0.1`, digits of another script.
 *
 * The resolver may read it in one way, and Node before 24.22.1 compares the certificate with what the URL standard reads, or
 * takes it for a name (CVE-2026-105483, CVE-2026-106069, CVE-2026-106072): a certificate for another address would do.
 */
function isOddAddress(host: string): boolean {
  if (isIP(host) !== 0) return false;
  const read = domainToASCII(host);
  return read === '' || isIP(read) !== 0;
}

/** `dns:coordinator:7300` and its like: the host alone. */
function hostOf({ path }: Target): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(path) ?? [];
  return bracketed ?? plain ?? path;
}
