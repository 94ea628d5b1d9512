import { X509Certificate } from 'node:crypto';
import type { ChannelCredentials } from '@grpc/grpc-js';
import {
  type CertifiedKey,
  certificateFacts,
  certificateFingerprint,
  defaultAgentTlsDir,
  type JoinToken,
  parseJoinToken,
  TlsFolder,
} from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import { closingForGood, DialCredentials } from '@shoal/protocol';
import { CertificateRenewal } from './certificate-renewal.ts';
import { enrol, refusalOf, renew } from './enrolment.ts';
import type { Log } from './log.ts';

/** What {@link AgentCredentials.open} needs. */
export interface AgentCredentialsOptions {
  /** `HOST:PORT` of the coordinator. */
  readonly join: string;
  /** Undefined: that of the certificate, where there is one. */
  readonly name: string | undefined;
  /** The name to ask for where nobody gave one. */
  readonly ownName: string;
  readonly tlsDir: string | undefined;
  /** A token to join with, or the secret of a token file. */
  readonly token: string | undefined;
  readonly insecure: boolean;
  readonly log: Log;
  /** Aborted when nobody wants the agent any more: a coordinator is waited for no longer. */
  readonly signal?: AbortSignal | undefined;
}

const warnEveryMs = 60_000;

/** Who this agent is for its coordinator: by certificate, by token, or not at all on this machine. */
export class AgentCredentials {
  /** The name in its certificate; undefined without one. */
  readonly name: string | undefined;
  readonly #options: AgentCredentialsOptions;
  readonly #folder: TlsFolder | undefined;
  readonly #bearer: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #renewal: CertificateRenewal | undefined;

  private constructor(
    options: AgentCredentialsOptions,
    found: { folder?: TlsFolder; bearer?: string | undefined; name?: string | undefined },
  ) {
    this.#options = options;
    this.#folder = found.folder;
    this.#bearer = found.bearer;
    this.name = found.name;
  }

  /**
   * Finds out who this agent is; with a token to join with it gets a certificate first, trying until there is a
   * coordinator.
   *
   * Errors: `INSECURE_CONNECT`, `FILE_NOT_USABLE`, `UNAUTHENTICATED`, `TLS_FAILED`, `REQUEST_INVALID`; the reason of the signal.
   */
  static async open(options: AgentCredentialsOptions): Promise<AgentCredentials> {
    const { join, token, tlsDir, insecure } = options;
    const joinToken = token === undefined ? undefined : parseJoinToken(token);
    if (tlsDir === undefined && joinToken === undefined) {
      if (!isLoopback(join) && !insecure) throw refusal(join);
      const plain = new AgentCredentials(options, { bearer: token });
      if (!isLoopback(join)) plain.#remind();
      return plain;
    }
    const folder = new TlsFolder(tlsDir ?? defaultAgentTlsDir);
    await folder.checkKeys();
    const name = await certifiedName(folder, options, joinToken);
    const secured = new AgentCredentials(options, {
      folder,
      name,
      bearer: joinToken === undefined ? token : undefined,
    });
    if (name !== undefined) await secured.#keepRenewed(folder, name);
    return secured;
  }

  /** For one connection. A certificate is read from its file each time, for it is renewed. */
  channel(): ChannelCredentials {
    const folder = this.#folder;
    const tls = folder === undefined ? undefined : () => materialOf(folder);
    return closingForGood(new DialCredentials({ tls, token: this.#bearer }));
  }

  /** Renews nothing any more. */
  stop(): void {
    this.#renewal?.stop();
    clearTimeout(this.#timer);
  }

  #remind(): void {
    const { join, log } = this.#options;
    const facts = { event: 'agent.insecure', address: join };
    log.warn(
      facts,
      `INSECURE: what travels to and from ${join} can be read and changed by others (--insecure)`,
    );
    this.#timer = setTimeout(() => this.#remind(), warnEveryMs);
    this.#timer.unref();
  }

  async #keepRenewed(folder: TlsFolder, agent: string): Promise<void> {
    const { join, log } = this.#options;
    this.#renewal = new CertificateRenewal({
      agent,
      life: async () => certificateFacts(await folder.read('client')),
      renew: () => renew({ join, folder, channel: this.channel() }),
      log,
    });
    await this.#renewal.start();
  }
}

/** The name in the certificate of the folder, which is got first where there is none that is good. */
async function certifiedName(
  folder: TlsFolder,
  options: AgentCredentialsOptions,
  joinToken: JoinToken | undefined,
): Promise<string | undefined> {
  const { join, name, ownName, token, log, signal } = options;
  const there = await folder.findPair('client');
  const identity = there === undefined ? undefined : certificateFacts(there.cert).identity;
  const fault = there === undefined ? undefined : await faultOf(there, folder, options, joinToken);
  if (there !== undefined && fault === undefined) {
    const own = checkedName(folder, identity, name);
    if (joinToken !== undefined) {
      const message = `the certificate in ${folder.pathOf('client')} is good for agent ${own}; the token is not used`;
      log.info({ event: 'agent.certificate', agent: own }, message);
    }
    return own;
  }
  if (joinToken !== undefined) {
    if (fault !== undefined) {
      // Somebody else's is not written over: the folder was named by mistake.
      checkedName(folder, identity, undefined);
      const message = `the certificate in ${folder.pathOf('client')} is not used: ${fault}; joining with the token instead`;
      log.warn({ event: 'agent.certificate', agent: identity?.name, reason: fault }, message);
    }
    await enrol({ join, token: joinToken, name: name ?? '', ownName, folder, log, signal });
    return checkedName(folder, certificateFacts(await folder.read('client')).identity, name);
  }
  if (fault !== undefined) {
    throw new ShoalError('UNAUTHENTICATED', {
      reason: `the certificate in ${folder.pathOf('client')} has expired`,
      hint: 'Join again with a new token: shoal token create --role agent.',
    });
  }
  // A bearer of a token needs to know whom to trust, and no more.
  await folder.read(token === undefined ? 'client' : 'authority');
  return undefined;
}

/**
 * Why a certificate that is there opens nothing, as far as that can be told. The coordinator is asked only where there is a
 * token to join with instead: whoever gave a new one wants it used, and one that was used stays where it was.
 */
async function faultOf(
  { cert, key }: CertifiedKey,
  folder: TlsFolder,
  { join, log, signal }: AgentCredentialsOptions,
  joinToken: JoinToken | undefined,
): Promise<string | undefined> {
  if (certificateFacts(cert).validToMs <= Date.now()) return 'it has expired';
  if (joinToken === undefined) return undefined;
  const ca = await folder.read('authority');
  if (certificateFingerprint(new X509Certificate(ca)) !== joinToken.authority)
    return 'it is of another cluster than the token';
  const channel = () => closingForGood(new DialCredentials({ tls: () => ({ ca, cert, key }) }));
  return refusalOf({ join, channel, log, signal });
}

function checkedName(
  folder: TlsFolder,
  identity: { readonly name: string; readonly role: string } | undefined,
  asked: string | undefined,
): string {
  const path = folder.pathOf('client');
  if (identity?.role !== 'agent') {
    const holder =
      identity === undefined ? 'it names nobody' : `it is for the ${identity.role} ${identity.name}`;
    const reason = `${holder}, and not for an agent; name a folder of the agent's own with --tls-dir`;
    throw new ShoalError('FILE_NOT_USABLE', { path, reason });
  }
  if (asked !== undefined && asked !== identity.name) {
    const reason = `is ${asked}, but the certificate in ${path} is for ${identity.name}. Leave --name out, or give each agent a folder of its own: --tls-dir`;
    throw new ShoalError('REQUEST_INVALID', { field: 'name', reason });
  }
  return identity.name;
}

async function materialOf(folder: TlsFolder): Promise<{ ca: string; cert?: string; key?: string }> {
  const [ca, pair] = await Promise.all([folder.read('authority'), folder.findPair('client')]);
  return { ca, ...(pair && { cert: pair.cert, key: pair.key }) };
}

const isLoopback = (address: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\]):\d+$/.test(address);

const refusal = (address: string): ShoalError =>
  new ShoalError('INSECURE_CONNECT', {
    address,
    hint: `Two commands protect them: \`shoal token create --role agent --ttl 15m --output join-token\` where the coordinator runs with --tls-dir, and here \`shoal agent --join ${address} --token join-token\`, with that file.`,
  });
