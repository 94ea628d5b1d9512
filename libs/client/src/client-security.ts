import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkOptionNames, kindOf, ShoalError } from '@shoal/errors';
import { ExposedFileError, readPrivateFile } from '@shoal/folders';
import { readOnce } from '@shoal/pool';
import type { DialMaterial } from '@shoal/protocol';
import type { Address } from './address.ts';

/** Certificates of a connection. Each is PEM, or the path of a file with it. */
export interface TlsOptions {
  /** Whom to trust: the authority that signed for the coordinator. Default: the authorities that Node trusts. */
  readonly ca?: string | Uint8Array | undefined;
  /** Who you are: your certificate. Needs `key`. Default: none; you are whoever your `token` says. */
  readonly cert?: string | Uint8Array | undefined;
  /** The private key of `cert`; a file with it has mode 0600 (others are refused). Default: none. */
  readonly key?: string | Uint8Array | undefined;
}

/** How a connection is protected. */
export interface ClientSecurity {
  /** The material for the next connection; undefined: no TLS. */
  readonly tls: (() => Promise<DialMaterial>) | undefined;
  readonly token: string | undefined;
}

/** The options that say how. */
export interface SecurityOptions {
  readonly tls?: boolean | TlsOptions | undefined;
  readonly token?: string | undefined;
  readonly insecure?: boolean | undefined;
}

const tlsNames: readonly string[] = ['ca', 'cert', 'key'] satisfies (keyof TlsOptions)[];

/** Throws a TypeError that names the option, and never shows what it was given. */
export function checkedToken(token: unknown): string {
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new TypeError('token has to be a string of letters, digits and punctuation, without spaces.');
}

/**
 * The certificates as they are given, each read once. Throws a TypeError that names the option, and never shows what it was
 * given.
 */
export function tlsOf(tls: unknown): SecurityOptions['tls'] {
  if (tls === undefined || typeof tls === 'boolean') return tls;
  if (typeof tls !== 'object' || tls === null || kindOf(tls) !== 'object') {
    throw new TypeError(`tls has to be true, false or { ca, cert, key }, not ${kindOf(tls)}.`);
  }
  checkOptionNames('tls', tls, tlsNames);
  const given = readOnce(tls, tlsNames);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
      throw new TypeError(`tls.${name} has to be PEM or the path of a file with it, not ${kindOf(value)}.`);
    }
  }
  if ((given['cert'] === undefined) !== (given['key'] === undefined)) {
    throw new TypeError('tls.cert and tls.key belong together: give both, or none.');
  }
  return given;
}

/** Between two looks at a certificate and its key both may be replaced. */
const looksMax = 3;

/**
 * How to reach an address with these options.
 *
 * Errors: `INSECURE_CONNECT` for another machine without TLS, unless `insecure` allows it; `FILE_NOT_USABLE` for a file
 * that is not there or holds no PEM, for a key that others can read, and for one that is not that of the certificate.
 */
export async function securityOf(address: Address, options: SecurityOptions): Promise<ClientSecurity> {
  const { tls, token, insecure } = options;
  const files = tls === true ? {} : tls === false ? undefined : tls;
  if (files === undefined) {
    if (!address.loopback && insecure !== true) {
      throw new ShoalError('INSECURE_CONNECT', {
        address: address.text,
        hint: 'Two commands protect them: `shoal certs issue NAME --role client` where the certificates of the cluster were made, and here the same command as before with `--tls-dir` and the folder that it wrote (the option tls in code).',
      });
    }
    return { tls: undefined, token };
  }
  const material = (): Promise<DialMaterial> => readMaterial(files);
  // A file that is missing is told now and not as a failed connection.
  await material();
  return { tls: material, token };
}

async function readMaterial(files: TlsOptions): Promise<DialMaterial> {
  for (let look = 1; ; look += 1) {
    const [ca, cert, key] = await Promise.all([
      pemOf(files.ca, readText),
      pemOf(files.cert, readText),
      pemOf(files.key, readKey),
    ]);
    if (cert === undefined || key === undefined || fits(cert, key)) return { ca, cert, key };
    if (look < looksMax) continue;
    // OpenSSL says it in its own words, at each connection, and then it reads as a coordinator that is not there.
    const path = nameOf(files.cert, 'tls.cert');
    const reason = `it does not fit its key, ${nameOf(files.key, 'tls.key')}; give the two that were made together`;
    throw new ShoalError('FILE_NOT_USABLE', { path, reason });
  }
}

function fits(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

const isPem = (text: string): boolean => text.includes('-----BEGIN ');

/** What a user calls it: the file that he named, or the option. */
const nameOf = (given: string | Uint8Array | undefined, option: string): string =>
  typeof given === 'string' && !isPem(given) ? given : option;

const readText = (path: string): Promise<string> => readFile(path, 'utf8');
const readKey = (path: string): Promise<string> => readPrivateFile(path, 'key');

async function pemOf(
  given: string | Uint8Array | undefined,
  read: (path: string) => Promise<string>,
): Promise<string | undefined> {
  if (given === undefined) return undefined;
  if (typeof given !== 'string') return Buffer.from(given).toString('utf8');
  if (isPem(given)) return given;
  const text = await read(given).catch((error: NodeJS.ErrnoException) => {
    const reason =
      error instanceof ExposedFileError
        ? error.message
        : error.code === 'ENOENT'
          ? 'it does not exist'
          : `it cannot be read (${error.code})`;
    throw new ShoalError('FILE_NOT_USABLE', { path: given, reason });
  });
  if (!/PRIVATE KEY-----/.test(text)) checkCertificate(given, text);
  return text;
}

function checkCertificate(path: string, text: string): void {
  try {
    new X509Certificate(text);
  } catch (error) {
    const facts = { path, reason: 'there is no certificate (PEM) in it' };
    throw new ShoalError('FILE_NOT_USABLE', facts, { cause: error });
  }
}
