import { checkIsOptions, checkOptionNames, timerMsMax } from '@shoal/errors';
import { type PoolOptions, poolOptionNames, readOnce } from '@shoal/pool';
import { checkSecurityOptions, type TlsOptions } from './client-security.ts';
import type { ConnectionLimits } from './connection.ts';

/** How a coordinator is reached. */
export interface ConnectionOptions {
  /**
   * How long to try to reach the coordinator, in milliseconds.
   *
   * Default: 10,000. 1 to 2,147,483,647.
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * How long to wait for the coordinator's return when the connection breaks while something runs, in milliseconds.
   *
   * Default: 30,000, as long as the coordinator keeps the job of a client that is gone. 1 to 2,147,483,647.
   */
  readonly reconnectTimeoutMs?: number | undefined;
  /**
   * Encrypt the connection (TLS 1.3), and say who you are.
   *
   * `{ ca, cert, key }`, each PEM or the path of a file with it: `ca` is whom to trust, `cert` and `key` are yours (both
   * or none). Files are read again for each new connection, so a certificate can be replaced. `true`: trust the
   * authorities that Node trusts, and show no certificate. Default: no TLS, which is for this very machine.
   */
  readonly tls?: boolean | TlsOptions | undefined;
  /**
   * Say who you are with a token, as the coordinator's token file has it: 256 bits, at least 43 characters.
   *
   * Default: none. Without `tls` it travels as it is, so that is for this very machine. Keep it out of your source:
   * `token: process.env.SHOAL_TOKEN`.
   */
  readonly token?: string | undefined;
  /**
   * Connect to another machine without encryption: code, items and results can be read and changed on their way.
   *
   * Default: false. For private networks.
   */
  readonly insecure?: boolean | undefined;
  /**
   * Ends the attempt to connect as soon as it aborts; what was to connect rejects with its reason.
   *
   * Default: none. It ends nothing that is connected: for that there are `terminate()` and the signals of jobs.
   */
  readonly signal?: AbortSignal | undefined;
}

/** The options of a connection. */
export const connectionNames: readonly string[] = Object.keys({
  connectTimeoutMs: true,
  reconnectTimeoutMs: true,
  signal: true,
  tls: true,
  token: true,
  insecure: true,
} satisfies Record<keyof ConnectionOptions, true>);

/** Tells the options of a connection from those given for the pool, each read once, and checks the types of the former. */
export function splitOptions(options: unknown): {
  readonly connectionOptions: ConnectionOptions;
  readonly given: PoolOptions;
} {
  checkIsOptions('connect() options', options, 'have to be');
  checkOptionNames('connect() options', options, [...connectionNames, ...poolOptionNames]);
  const connectionOptions: ConnectionOptions = readOnce(options, connectionNames);
  checkSecurityOptions(connectionOptions);
  return { connectionOptions, given: readOnce(options, poolOptionNames) };
}

/** The signal that ends the attempt to connect. Throws a TypeError that names the option. */
export function connectionSignal({ signal }: ConnectionOptions): AbortSignal | undefined {
  const given: unknown = signal;
  if (given === undefined || given instanceof AbortSignal) return given;
  throw new TypeError(`signal has to be an AbortSignal, not ${given === null ? 'null' : typeof given}.`);
}

/** The limits that the options ask for. Throws a TypeError or RangeError that names the option. */
export function connectionLimits(options: ConnectionOptions): ConnectionLimits {
  return {
    connectTimeoutMs: milliseconds('connectTimeoutMs', options.connectTimeoutMs ?? 10_000),
    reconnectTimeoutMs: milliseconds('reconnectTimeoutMs', options.reconnectTimeoutMs ?? 30_000),
  };
}

function milliseconds(name: string, value: unknown): number {
  const range = `a whole number from 1 to ${timerMsMax}`;
  if (typeof value !== 'number') throw new TypeError(`${name} has to be ${range}, not ${typeof value}.`);
  if (!Number.isInteger(value) || value < 1 || value > timerMsMax) {
    throw new RangeError(`${name} has to be ${range}, not ${value}.`);
  }
  return value;
}
