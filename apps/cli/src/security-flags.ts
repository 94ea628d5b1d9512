import type { ConnectionOptions } from '@shoal/client';
import type { TlsFolder } from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import { Option } from 'commander';
import type { Terminal } from './terminal.ts';
import { refuseTypedToken } from './typed-token.ts';

// Loaded for whoever names a folder or a token: most commands on one machine do neither, and it brings TLS along.
const credentials = () => import('@shoal/credentials');

/** Where certificates are made and looked for when nobody says another folder. */
export const defaultTlsDir = 'shoal-tls';

/** What the flags of this file say. */
export interface SecurityFlags {
  readonly tlsDir?: string;
  readonly tokenFile?: string;
  readonly insecure?: boolean;
}

/** `--tls-dir`, whose default is SHOAL_TLS_DIR. */
export const tlsDirOption = (what: string): Option =>
  new Option('--tls-dir <DIR>', `${what} (default: SHOAL_TLS_DIR)`);

/** `--token-file`, whose default is SHOAL_TOKEN or SHOAL_TOKEN_FILE. A token itself is never an argument. */
export const tokenFileOption = (what: string): Option =>
  new Option('--token-file <FILE>', `${what}, mode 0600 (default: the token in SHOAL_TOKEN)`);

/** The flags of a command that connects to a coordinator as a client. */
export const connectFlags = (): Option[] => [
  tlsDirOption('the folder with your certificate, as shoal certs issue makes it'),
  tokenFileOption('a file with your token'),
  new Option('--insecure', 'connect to another machine with no protection at all'),
];

/** The folder that a flag or SHOAL_TLS_DIR names. Errors: `USAGE` for a token. */
export function tlsDirOf(flags: SecurityFlags, terminal: Terminal): string | undefined {
  const dir = flags.tlsDir ?? fromEnvironment(terminal, 'SHOAL_TLS_DIR');
  if (dir !== undefined) refuseTypedToken(dir, '--tls-dir', 'the name of a folder');
  return dir;
}

/** Where tokens come from: a file, or the variable SHOAL_TOKEN itself. */
export type TokenSource = { readonly file: string } | { readonly text: string };

/**
 * The token file that a flag or SHOAL_TOKEN_FILE names, or what SHOAL_TOKEN holds.
 *
 * Errors: `USAGE` for a token where a file has to be named: every user of the machine can read the arguments of a command.
 */
export async function tokenSource(
  flagged: string | undefined,
  terminal: Terminal,
  flag: string = '--token-file',
): Promise<TokenSource | undefined> {
  const text = fromEnvironment(terminal, 'SHOAL_TOKEN');
  const file = flagged ?? (text === undefined ? fromEnvironment(terminal, 'SHOAL_TOKEN_FILE') : undefined);
  if (file === undefined) return text === undefined ? undefined : { text };
  refuseTypedToken(file, flag);
  return { file };
}

/** The text that {@link tokenSource} finds. Errors: those, and `FILE_NOT_USABLE` for a file that others can read. */
export async function tokenText(
  flagged: string | undefined,
  terminal: Terminal,
  flag?: string,
): Promise<string | undefined> {
  const source = await tokenSource(flagged, terminal, flag);
  if (source === undefined) return undefined;
  if ('text' in source) return source.text;
  const { readTokenFile } = await credentials();
  return readTokenFile(source.file);
}

/** The one secret that is shown to a coordinator: a token to join with, or the first of a token file, which errors name. */
export async function secretIn(text: string, file: string = 'token'): Promise<string> {
  const { formatJoinToken, parseBearerTokens, parseJoinToken } = await credentials();
  const joinToken = parseJoinToken(text);
  if (joinToken !== undefined) return formatJoinToken(joinToken);
  try {
    const [first] = parseBearerTokens(text);
    if (first !== undefined) return first.secret;
    throw new Error('there is no token in it');
  } catch (error) {
    throw new ShoalError('FILE_NOT_USABLE', { path: file, reason: (error as Error).message });
  }
}

/**
 * How a client connects, out of its flags and the environment.
 *
 * Errors: `FILE_NOT_USABLE`, also for a token to join with where nothing else is shown.
 */
export async function connectionSecurity(
  flags: SecurityFlags,
  terminal: Terminal,
): Promise<Pick<ConnectionOptions, 'tls' | 'token' | 'insecure'>> {
  const [dir, text] = [tlsDirOf(flags, terminal), await tokenText(flags.tokenFile, terminal)];
  const insecure = flags.insecure === true;
  if (dir === undefined && text === undefined) return { insecure };
  const { parseJoinToken, TlsFolder } = await credentials();
  const tls = dir === undefined ? undefined : await filesIn(new TlsFolder(dir));
  const isToJoin = text !== undefined && parseJoinToken(text) !== undefined;
  // It is spent on a certificate, by an agent, whose health check has the same environment. Whoever has no certificate would be
  // told that he showed nothing, and asked for a token.
  const isMeant = flags.tokenFile !== undefined || tls !== undefined;
  if (isToJoin && isMeant && tls?.cert === undefined) await refuseJoinToken(flags.tokenFile, terminal);
  return {
    ...(tls === undefined ? {} : { tls }),
    ...(text === undefined || isToJoin ? {} : { token: await secretIn(text, flags.tokenFile) }),
    insecure,
  };
}

async function refuseJoinToken(flagged: string | undefined, terminal: Terminal): Promise<never> {
  const source = await tokenSource(flagged, terminal);
  const path = source !== undefined && 'file' in source ? source.file : 'SHOAL_TOKEN';
  const reason =
    'it is a token to join with, which opens nothing else: an agent joins with it (shoal agent --join HOST:PORT --token FILE). ' +
    'Others get a certificate: shoal certs issue NAME --role ROLE';
  throw new ShoalError('FILE_NOT_USABLE', { path, reason });
}

async function filesIn(folder: TlsFolder): Promise<{ ca: string; cert?: string; key?: string }> {
  const ca = folder.pathOf('authority');
  await folder.read('authority');
  const pair = await folder.findPair('client');
  if (pair === undefined) return { ca };
  // By their names, for they may be replaced while this runs; but for a key that is not where it belongs yet.
  if (pair.isInterrupted) return { ca, cert: pair.cert, key: pair.key };
  return { ca, cert: folder.pathOf('client'), key: folder.pathOf('clientKey') };
}

/** An empty variable is none: so a compose file leaves it. */
function fromEnvironment({ env }: Terminal, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
}
