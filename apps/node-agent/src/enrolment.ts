import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelCredentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  type CertificateRequest,
  createCertificateRequest,
  discoverAuthority,
  type JoinToken,
  type TlsFolder,
} from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import {
  AccessServiceClient,
  ClusterServiceClient,
  clientOptions,
  closingForGood,
  DialCredentials,
  errorFromStatus,
  type JoinClusterResponse,
  ownPeer,
  type RenewCertificateResponse,
} from '@shoal/protocol';
import type { Log } from './log.ts';

/** How an agent joins for the first time. */
export interface Enrolment {
  /** `HOST:PORT` of the coordinator. */
  readonly join: string;
  readonly token: JoinToken;
  /** The name to join under; empty: that of the token, else `ownName`. */
  readonly name: string;
  readonly ownName: string;
  /** Where the certificates are written. */
  readonly folder: TlsFolder;
  readonly log: Log;
  /** Aborted when nobody wants the agent any more; undefined: it is waited for ever. */
  readonly signal: AbortSignal | undefined;
}

/** Who waits for a coordinator. */
type Waiting = Pick<Enrolment, 'join' | 'log' | 'signal'>;

const answerMs = 10_000;
const retryMs = 250;
const retryMsMax = 30_000;

/** These are about the name: with the right one a token that was used for this key is still good. */
const ofNames: ReadonlySet<string> = new Set(['AGENT_NAME_TAKEN', 'REQUEST_INVALID']);

/**
 * Exchanges a token for a certificate and writes it. A coordinator that cannot be reached is tried again for ever.
 *
 * Errors: what no further try can help: `UNAUTHENTICATED`, `TLS_FAILED`, `AGENT_NAME_TAKEN`, `REQUEST_INVALID`, …; the
 * reason of the signal when it aborts. A token that was sent is used by then: its answer is waited for all the same.
 */
export async function enrol(enrolment: Enrolment): Promise<void> {
  const { folder } = enrolment;
  // Whoever asked before and was ended without an answer may have used the token: it is answered to the same key alone.
  const kept = await folder.reserved('client');
  const made = await createCertificateRequest(kept);
  // A token is good once: what it is exchanged for has to find its place.
  await folder.reserve('client', made.key);
  let isSent = kept !== undefined;
  try {
    await untilAnswered(enrolment, (tried) =>
      enrolOnce(enrolment, made, tried, () => {
        isSent = true;
      }),
    );
  } catch (error) {
    if (!isSent || isRefusal(error, kept !== undefined)) await folder.unreserve('client');
    throw error;
  }
}

/**
 * The coordinator itself has said no to the token, the name or the key. Whatever else ends a try leaves it open whether an
 * earlier one used the token, as a wrong address does, another cluster that is found there, or another name than that start had.
 */
function isRefusal(error: unknown, wasThere: boolean): boolean {
  if (!(error instanceof ShoalError)) return false;
  return error.code === 'UNAUTHENTICATED' || (ofNames.has(error.code) && !wasThere);
}

/** How often an answer was asked for, and for how long. */
type Tried = () => { readonly address: string; readonly tries: number; readonly elapsedMs: number };

/** Tries again for ever while nobody answers. Rejects with what the coordinator says, or when the signal aborts. */
async function untilAnswered<Answer>(
  { join, log, signal }: Waiting,
  ask: (tried: Tried) => Promise<Answer>,
): Promise<Answer> {
  const sinceMs = performance.now();
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask(() => ({ address: join, tries: failures, elapsedMs: performance.now() - sinceMs }));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ShoalError) || !isOnTheWay(error)) throw error;
      // As an agent that has lost its coordinator waits: full jitter.
      const waitMs = Math.round(Math.random() * Math.min(retryMsMax, retryMs * 2 ** (failures - 1)));
      const facts = { event: 'agent.disconnected', address: join, failures, waitMs };
      log.warn(facts, `${error.message} Trying again in ${waitMs} ms.`);
      await delay(waitMs, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

async function enrolOnce(
  { join, token, name, ownName, folder, signal }: Enrolment,
  { request, key }: CertificateRequest,
  tried: Tried,
  onSend: () => void,
): Promise<void> {
  const ca = await authorityOf({ join, token, signal }, tried);
  const credentials = closingForGood(new DialCredentials({ tls: () => ({ ca }) }));
  onSend();
  const ask = (wanted: string): Promise<JoinClusterResponse> =>
    ended({ join, tried }, credentials, (client, deadline, done) =>
      client.joinCluster(
        { secret: token.secret, name: wanted, certificateRequest: request },
        new Metadata(),
        deadline,
        done,
      ),
    );
  const { certificateChain } = await ask(name).catch((error: unknown) => {
    // A token that has no name of its own leaves the choice to its bearer.
    if (name === '' && error instanceof ShoalError && error.facts['field'] === 'name') return ask(ownName);
    throw error;
  });
  await folder.write('authority', ca);
  await folder.writePair('client', { cert: certificateChain, key });
}

/** Whom to trust: the authority that the token names, as the coordinator shows it. */
async function authorityOf(
  { join, token, signal }: Pick<Enrolment, 'join' | 'token' | 'signal'>,
  tried: Tried,
): Promise<string> {
  const { hostname, port } = new URL(`shoal://${join}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  let found: string | undefined;
  try {
    const fingerprint = token.authority;
    found = await discoverAuthority({ host, port: Number(port), fingerprint, timeoutMs: answerMs, signal });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code.startsWith('ERR_SSL')) {
      throw new ShoalError('TLS_FAILED', {
        address: join,
        reason: 'what listens there speaks no TLS',
        hint: 'Start it with --tls-dir.',
      });
    }
    // As grpc-js would say it, so that it is told as all others are.
    throw errorFromStatus({ code: 14, details: message, metadata: undefined as never }, tried());
  }
  if (found !== undefined) return found;
  throw new ShoalError('TLS_FAILED', {
    address: join,
    reason: 'it belongs to another cluster than the token',
    hint: 'Look at the address; or make a token there: shoal token create --role agent.',
  });
}

/** How a certificate is renewed. */
export interface Renewal {
  readonly join: string;
  readonly folder: TlsFolder;
  /** With the certificate that is still good. */
  readonly channel: ChannelCredentials;
}

/** Gets the next certificate, with a new key, and writes both. Rejects with what the coordinator says. */
export async function renew({ join, folder, channel }: Renewal): Promise<void> {
  const { request, key } = await createCertificateRequest();
  const { certificateChain } = await ended<RenewCertificateResponse>(
    { join, tried: triedOnce(join) },
    channel,
    (client, deadline, done) =>
      client.renewCertificate({ certificateRequest: request }, new Metadata(), deadline, done),
  );
  await folder.writePair('client', { cert: certificateChain, key });
}

/** Who asks whether a certificate is turned away. */
export interface Inquiry {
  readonly join: string;
  /** With that certificate; a new one for each try. */
  readonly channel: () => ChannelCredentials;
  readonly log: Log;
  readonly signal: AbortSignal | undefined;
}

/**
 * Why the coordinator turns away whoever shows a certificate; undefined where it does not. One that cannot be reached is asked
 * again for ever: no answer is none, and a token that was not used because of it would be missed later. Rejects with the reason of
 * the signal when it aborts.
 */
export async function refusalOf({ join, channel, log, signal }: Inquiry): Promise<string | undefined> {
  try {
    await untilAnswered({ join, log, signal }, (tried) => statusOf({ join, tried, signal }, channel()));
  } catch (error) {
    if (error instanceof ShoalError && error.code === 'UNAUTHENTICATED') return String(error.facts['reason']);
    // Whatever else it is, the session that is opened next will be told it as well.
    if (!(error instanceof ShoalError)) throw error;
  }
  return undefined;
}

async function statusOf(
  { join, tried, signal }: Asked & Pick<Inquiry, 'signal'>,
  channel: ChannelCredentials,
): Promise<void> {
  const client = new ClusterServiceClient(join, channel, clientOptions);
  let cancel = (): void => {};
  try {
    await new Promise<void>((resolve, reject) => {
      const call = client.getStatus(
        { client: ownPeer },
        new Metadata(),
        { deadline: Date.now() + answerMs },
        (error) => {
          if (error === null) resolve();
          else reject(errorFromStatus(error, tried()));
        },
      );
      cancel = () => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  } finally {
    signal?.removeEventListener('abort', cancel);
    client.close();
  }
}

/** Who is asked, and what is told of it where nobody answers. */
interface Asked {
  readonly join: string;
  readonly tried: Tried;
}

function triedOnce(address: string): Tried {
  const sinceMs = performance.now();
  return () => ({ address, tries: 1, elapsedMs: performance.now() - sinceMs });
}

type Done<Response> = (error: ServiceError | null, response: Response) => void;

/** One call on a channel of its own. */
async function ended<Response>(
  { join, tried }: Asked,
  credentials: ChannelCredentials,
  start: (client: AccessServiceClient, options: { deadline: number }, done: Done<Response>) => unknown,
): Promise<Response> {
  const client = new AccessServiceClient(join, credentials, clientOptions);
  try {
    return await new Promise((resolve, reject) => {
      start(client, { deadline: Date.now() + answerMs }, (error, response) => {
        if (error === null) resolve(response);
        else reject(errorFromStatus(error, tried()));
      });
    });
  } finally {
    client.close();
  }
}

const isOnTheWay = ({ code }: ShoalError): boolean => code === 'CANNOT_CONNECT' || code === 'CONNECTION_LOST';
