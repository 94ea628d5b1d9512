import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import {
  type CertificateAuthority,
  certificateFacts,
  digestOf,
  formatJoinToken,
  isIdentityName,
  newSecret,
  type RevocationList,
  type Role,
  requestedKey,
} from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import {
  type AccessServiceServer,
  type CreateJoinTokenRequest,
  type CreateJoinTokenResponse,
  type JoinClusterRequest,
  type JoinClusterResponse,
  type JoinTokenInfo,
  type ListJoinTokensRequest,
  type ListJoinTokensResponse,
  peerOfCall,
  type RenewCertificateRequest,
  type RenewCertificateResponse,
  type RevokeJoinTokenRequest,
  type RevokeJoinTokenResponse,
  statusOf,
} from '@shoal/protocol';
import type { EventFeed } from '../watch/event-feed.ts';
import type { Gate } from './gate.ts';
import { type Asked, type JoinGrant, JoinTokens, type ListedToken, type TakenToken } from './join-tokens.ts';
import type { ServerCertificates } from './server-certificates.ts';
import type { TokenTries } from './token-tries.ts';

/** What the {@link accessService} works with. Both are undefined on a coordinator without certificates. */
export interface AccessParts {
  readonly certificates: ServerCertificates | undefined;
  readonly gate: Gate | undefined;
  /** Who has shown wrong tokens. */
  readonly tries: TokenTries;
  /** Tokens to join with that are kept. */
  readonly maxJoinTokens: number;
  readonly feed: EventFeed;
  /** Whether an agent has that name, whose certificate is none of these. */
  readonly hasName: (agent: string, revocations: RevocationList) => boolean;
  /** Hears until when the new certificate of a connected agent is good. */
  readonly onRenewed: (agent: string, validToMs: number) => void;
}

/** Of the name of a token, which opens nothing: chosen by chance, so that it tells nothing of the secret. */
const idBytes = 4;
/** What the bearer of a token becomes. Everybody else has people who can be handed a certificate. */
const joiningRole: Role = 'agent';
const ttlMsMin = 1_000;
const ttlMsMax = 86_400_000;

/** Lets machines in: tokens to join with, and certificates for those who show them. */
export function accessService({
  certificates,
  gate,
  tries,
  maxJoinTokens,
  feed,
  hasName,
  onRenewed,
}: AccessParts): AccessServiceServer {
  const tokens = new JoinTokens(maxJoinTokens);
  /** By the digest of a token that is being exchanged: for which key, and what comes of it. */
  const underWay = new Map<string, { readonly key: string; readonly answer: Promise<JoinClusterResponse> }>();
  const own = (): ServerCertificates => {
    if (certificates !== undefined) return certificates;
    throw new ShoalError('NO_AUTHORITY', { reason: 'it was started without --tls-dir' });
  };

  const createToken = ({ role, ttlMs, name }: CreateJoinTokenRequest): CreateJoinTokenResponse => {
    // Asked first: a token that nobody could exchange is none.
    void own().authority;
    const grant = checkedGrant(role, name);
    if (ttlMs < ttlMsMin || ttlMs > ttlMsMax) throw invalid('ttl_ms', 'must be from 1 second to 1 day');
    const [secret, id] = [newSecret(), randomBytes(idBytes).toString('hex')];
    tokens.add(digestText(secret), id, grant, ttlMs, performance.now());
    feed.tell(
      'token.created',
      { id, role: joiningRole, ...(name === '' ? {} : { name }), ttlMs },
      'a token for one agent to join with was made',
    );
    const token = formatJoinToken({ secret, authority: own().fingerprint });
    return { token, expiresUnixMs: Date.now() + ttlMs, id };
  };

  const listTokens = (): ListJoinTokensResponse => {
    void own();
    const nowMs = performance.now();
    return { tokens: tokens.list(nowMs).map((token) => infoOf(token, nowMs)) };
  };

  const revokeToken = ({ id }: RevokeJoinTokenRequest): RevokeJoinTokenResponse => {
    void own();
    const nowMs = performance.now();
    const token = infoOf(tokens.revoke(id, nowMs), nowMs);
    feed.tell('token.revoked', { id, role: joiningRole }, `the token ${id} to join with was taken back`);
    return { token };
  };

  /** What the token grants; a wrong one is remembered against whoever showed it. */
  const taken = (digest: string, peer: string, asked: Asked | undefined): TakenToken => {
    const nowMs = performance.now();
    tries.check(peer, nowMs);
    try {
      const token = tokens.take(digest, nowMs, asked);
      tries.right(peer);
      return token;
    } catch (error) {
      // Whoever has the key of a token has not guessed it.
      if (error instanceof ShoalError && error.code === 'UNAUTHENTICATED') tries.wrong(peer, nowMs);
      throw error;
    }
  };

  const join = async (request: JoinClusterRequest, peer: string): Promise<JoinClusterResponse> => {
    const { authority } = own();
    const digest = digestText(request.secret);
    // Of somebody who has no token nothing is read.
    const key = tokens.has(digest) ? await requestedKey(request.certificateRequest) : undefined;
    const asked = key === undefined ? undefined : { key, name: request.name };
    const same = underWay.get(digest);
    if (same !== undefined && same.key === key) return same.answer;
    const { grant, exchange } = taken(digest, peer, asked);
    if (exchange !== undefined) return { certificateChain: exchange.certificateChain };
    const answer = exchanged(authority, digest, grant, request, key);
    if (key !== undefined) underWay.set(digest, { key, answer });
    try {
      return await answer;
    } finally {
      underWay.delete(digest);
    }
  };

  const exchanged = async (
    authority: CertificateAuthority,
    digest: string,
    grant: JoinGrant,
    request: JoinClusterRequest,
    key: string | undefined,
  ): Promise<JoinClusterResponse> => {
    try {
      const name = grant.name ?? request.name;
      if (!isIdentityName(name)) throw invalid('name', `"${name.slice(0, 100)}" is no name`);
      if (request.name !== '' && request.name !== name) {
        throw invalid('name', `the token is for ${name}, not for ${request.name}`);
      }
      // Its certificate would be as good as that of the agent that has the name.
      if (hasName(name, own().revocations)) throw new ShoalError('AGENT_NAME_TAKEN', { agent: name });
      // Its bearer was let in anew: what was revoked is what was issued before.
      const identity = { name, role: joiningRole };
      const afterMs = own().revocations.untilMs(identity);
      // A machine whose clock is ahead wrote it: what is made now would open nothing until then.
      if (afterMs > Date.now()) throw revokedUntil(name, afterMs);
      const certificateChain = await authority.answer(request.certificateRequest, identity, { afterMs });
      if (key !== undefined) tokens.exchanged(digest, { key, name, certificateChain });
      feed.tell('certificate.issued', identity, `agent ${name} joined with a token`);
      return { certificateChain };
    } catch (error) {
      tokens.giveBack(digest);
      throw error;
    }
  };

  const renew = async (
    call: ServerUnaryCall<RenewCertificateRequest, RenewCertificateResponse>,
  ): Promise<RenewCertificateResponse> => {
    const caller = gate?.callerOf(call);
    const certified = caller?.certificate?.identity;
    // The table lets agents in and nobody else; but a token makes whoever shows it beside a certificate an agent, too.
    if (certified?.role !== 'agent') {
      throw new ShoalError('PERMISSION_DENIED', {
        who:
          certified === undefined ? 'a caller without a certificate' : `${certified.role} ${certified.name}`,
        what: 'renewing one',
        allowed: 'agents that joined with a token',
      });
    }
    const { name } = certified;
    const identity = { name, role: certified.role };
    // It may have been made minutes after its name was revoked: the next one begins no earlier.
    const afterMs = own().revocations.untilMs(identity);
    const certificateChain = await own().authority.answer(call.request.certificateRequest, identity, {
      afterMs,
    });
    feed.tell('certificate.issued', { name, role: 'agent' }, `agent ${name} has renewed its certificate`);
    onRenewed(name, certificateFacts(certificateChain).validToMs);
    return { certificateChain };
  };

  return {
    createJoinToken: (
      call: ServerUnaryCall<CreateJoinTokenRequest, CreateJoinTokenResponse>,
      respond: sendUnaryData<CreateJoinTokenResponse>,
    ): void => settle(respond, async () => createToken(call.request)),
    joinCluster: (
      call: ServerUnaryCall<JoinClusterRequest, JoinClusterResponse>,
      respond: sendUnaryData<JoinClusterResponse>,
    ): void => settle(respond, () => join(call.request, peerOfCall(call.getPeer()))),
    renewCertificate: (
      call: ServerUnaryCall<RenewCertificateRequest, RenewCertificateResponse>,
      respond: sendUnaryData<RenewCertificateResponse>,
    ): void => settle(respond, () => renew(call)),
    listJoinTokens: (
      _: ServerUnaryCall<ListJoinTokensRequest, ListJoinTokensResponse>,
      respond: sendUnaryData<ListJoinTokensResponse>,
    ): void => settle(respond, async () => listTokens()),
    revokeJoinToken: (
      call: ServerUnaryCall<RevokeJoinTokenRequest, RevokeJoinTokenResponse>,
      respond: sendUnaryData<RevokeJoinTokenResponse>,
    ): void => settle(respond, async () => revokeToken(call.request)),
  };
}

const revokedUntil = (name: string, untilMs: number): ShoalError =>
  new ShoalError('UNAUTHENTICATED', {
    reason: `agent ${name} is revoked until ${new Date(untilMs).toISOString()}, which is yet to come`,
    hint: 'Join under another name (--name), or put that line of revoked.txt right; the token can still be used.',
  });

function settle<T>(respond: sendUnaryData<T>, make: () => Promise<T>): void {
  make().then(
    (value) => respond(null, value),
    (error: unknown) => respond(statusOf(error)),
  );
}

function checkedGrant(role: string, name: string): JoinGrant {
  if (role !== joiningRole) {
    const reason =
      'must be agent: nobody else joins with a token; shoal certs issue makes their certificates';
    throw invalid('role', reason);
  }
  if (name !== '' && !isIdentityName(name)) throw invalid('name', 'is no name');
  return { name: name === '' ? undefined : name };
}

const infoOf = ({ expiresAtMs, id, name = '' }: ListedToken, nowMs: number): JoinTokenInfo => ({
  id,
  role: joiningRole,
  name,
  expiresUnixMs: Math.round(Date.now() + expiresAtMs - nowMs),
});

const digestText = (secret: string): string => digestOf(secret).toString('base64url');

const invalid = (field: string, reason: string): ShoalError =>
  new ShoalError('REQUEST_INVALID', { field, reason });
