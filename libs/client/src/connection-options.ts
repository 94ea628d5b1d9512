import { checkIsOptions, checkOptionNames, timerMsMax } from '@shoal/errors';
import {
  abortSignal,
  flag,
  type OptionCheck,
  type PoolOptions,
  poolOptionNames,
  readOnce,
  wholeNumber,
} from '@shoal/pool';
import { checkedToken, type TlsOptions, tlsOf } from './client-security.ts';
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

const positiveMs = wholeNumber(1, timerMsMax);
const checks: Record<keyof ConnectionOptions, OptionCheck> = {
  connectTimeoutMs: positiveMs,
  reconnectTimeoutMs: positiveMs,
  signal: abortSignal,
  tls: (_, value) => tlsOf(value),
  token: (_, value) => checkedToken(value),
  insecure: flag,
};

const connectionNames: readonly string[] = Object.keys(checks);

/** Tells the options of a connection from those given for the pool, each read once, and checks the former. */
export function splitOptions(options: unknown): {
  readonly connectionOptions: ConnectionOptions;
  readonly given: PoolOptions;
} {
  const connectionOptions = checkConnectionOptions('connect() options', options, poolOptionNames);
  // Their names are known to be good.
  return { connectionOptions, given: readOnce(options as object, poolOptionNames) };
}

/**
 * A copy of the options of a connection, for which each was read once. Throws a TypeError or RangeError that names the first
 * that is not as documented. `others`: names that are for somebody else to look at.
 */
export function checkConnectionOptions(
  where: string,
  options: unknown,
  others: readonly string[] = [],
): ConnectionOptions {
  checkIsOptions(where, options, 'have to be');
  checkOptionNames(where, options, [...connectionNames, ...others]);
  const given = readOnce(options, connectionNames);
  for (const [name, check] of Object.entries(checks)) {
    if (given[name] !== undefined) given[name] = check(name, given[name]);
  }
  return given;
}

/** The limits that the options ask for. */
export function connectionLimits(options: ConnectionOptions): ConnectionLimits {
  const { connectTimeoutMs = 10_000, reconnectTimeoutMs = 30_000 } = options;
  return { connectTimeoutMs, reconnectTimeoutMs };
}
