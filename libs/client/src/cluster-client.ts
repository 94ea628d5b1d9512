import type {
  AgentInfo,
  CreateJoinTokenRequest,
  CreateJoinTokenResponse,
  DrainAgentResponse,
  GetStatusResponse,
  JobInfo,
  JoinTokenInfo,
  ListAgentsResponse,
  ListJobsResponse,
  ListJoinTokensResponse,
  NameBundleResponse,
  ResumeAgentResponse,
  RevokeJoinTokenResponse,
} from '@shoal/protocol';
import { ownPeer } from '@shoal/protocol';
import { parseAddress } from './address.ts';
import type { Bundle } from './bundle/bundle.ts';
import { Bundler } from './bundle/bundler.ts';
import { BundleUploads } from './bundle-upload.ts';
import { securityOf } from './client-security.ts';
import { Connection } from './connection.ts';
import { type ConnectionOptions, checkConnectionOptions, connectionLimits } from './connection-options.ts';
import { allPages } from './pages.ts';

/** A task module that is to be given a name. */
export interface NamedModule {
  /** Letters, digits, `.`, `_` and `-`, a letter first. */
  readonly name: string;
  /** From 1. A version never changes. */
  readonly version: number;
  /** URL of the module's file. */
  readonly module: string;
}

/**
 * A connection for those who run a cluster: how it is, its agents and jobs, its named bundles.
 *
 * Every method rejects with a ShoalError: CONNECTION_LOST, or what the coordinator says.
 */
export class ClusterClient implements AsyncDisposable {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Connects to a coordinator, `HOST:PORT`.
   *
   * Rejects with CANNOT_CONNECT (after `connectTimeoutMs`), VERSION_MISMATCH, INSECURE_CONNECT, TLS_FAILED,
   * UNAUTHENTICATED, an error that names a bad option, or the reason of `signal`.
   */
  static async open(address: string, options: ConnectionOptions = {}): Promise<ClusterClient> {
    const target = parseAddress(address);
    const given = checkConnectionOptions('Options of a connection', options);
    const security = await securityOf(target, given);
    return new ClusterClient(await Connection.open(target, connectionLimits(given), security, given.signal));
  }

  /** The cluster at a glance. */
  status(): Promise<GetStatusResponse> {
    const { cluster } = this.#connection;
    return this.#connection.call<GetStatusResponse>((...call) =>
      cluster.getStatus({ client: ownPeer }, ...call),
    );
  }

  /** The agents, by name. */
  async agents(): Promise<readonly AgentInfo[]> {
    const { cluster } = this.#connection;
    const pageAt = (pageToken: string): Promise<ListAgentsResponse> =>
      this.#connection.call<ListAgentsResponse>((...call) =>
        cluster.listAgents({ pageToken, groupId: '' }, ...call),
      );
    return allPages(pageAt, ({ agents }) => agents);
  }

  /** The jobs that the coordinator knows, the newest first. */
  async jobs(): Promise<readonly JobInfo[]> {
    const { jobs } = this.#connection;
    const pageAt = (pageToken: string): Promise<ListJobsResponse> =>
      this.#connection.call<ListJobsResponse>((...call) => jobs.listJobs({ pageToken }, ...call));
    return allPages(pageAt, (page) => page.jobs);
  }

  /** A token with which one machine can join, once. Errors: NO_AUTHORITY, PERMISSION_DENIED, REQUEST_INVALID. */
  createJoinToken(request: CreateJoinTokenRequest): Promise<CreateJoinTokenResponse> {
    const { access } = this.#connection;
    // Not repeated: a second token would be made, which nobody knows of.
    return this.#connection.once<CreateJoinTokenResponse>((...call) =>
      access.createJoinToken(request, ...call),
    );
  }

  /** The tokens to join with that can be used, the one that expires first at the top. Errors: NO_AUTHORITY, PERMISSION_DENIED. */
  async joinTokens(): Promise<readonly JoinTokenInfo[]> {
    const { access } = this.#connection;
    const answer = await this.#connection.call<ListJoinTokensResponse>((...call) =>
      access.listJoinTokens({}, ...call),
    );
    return answer.tokens;
  }

  /** Takes a token to join with back. Errors: TOKEN_NOT_FOUND, NO_AUTHORITY, PERMISSION_DENIED. */
  async revokeJoinToken(id: string): Promise<JoinTokenInfo | undefined> {
    const { access } = this.#connection;
    // Not repeated: the second time it would not be there any more.
    const answer = await this.#connection.once<RevokeJoinTokenResponse>((...call) =>
      access.revokeJoinToken({ id }, ...call),
    );
    return answer.token;
  }

  /** Gives an agent no new work. Errors: AGENT_NOT_FOUND. */
  async drainAgent(agentName: string): Promise<AgentInfo | undefined> {
    const { cluster } = this.#connection;
    const answer = await this.#connection.call<DrainAgentResponse>((...call) =>
      cluster.drainAgent({ agentName }, ...call),
    );
    return answer.agent;
  }

  /** Gives a drained agent work again. Errors: AGENT_NOT_FOUND. */
  async resumeAgent(agentName: string): Promise<AgentInfo | undefined> {
    const { cluster } = this.#connection;
    const answer = await this.#connection.call<ResumeAgentResponse>((...call) =>
      cluster.resumeAgent({ agentName }, ...call),
    );
    return answer.agent;
  }

  /** Bundles a module, sends it and names it. Errors: BUNDLE_EXISTS, TASK_BUNDLE_FAILED, TASK_LOAD_FAILED. */
  async pushBundle({ module, name, version }: NamedModule): Promise<Bundle> {
    const bundle = await new Bundler().module(module);
    await new BundleUploads(this.#connection).ensure(bundle);
    const { bundles } = this.#connection;
    await this.#connection.call<NameBundleResponse>((...call) =>
      bundles.nameBundle({ name, version, sha256: bundle.sha256 }, ...call),
    );
    return bundle;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
  }
}
