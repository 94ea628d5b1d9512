import { type Metadata, ServerCredentials, type ServerInterceptor } from '@grpc/grpc-js';
import { RevocationList } from '@shoal/credentials';
import type { LimitName, Protection } from '@shoal/protocol';
import type { EventFeed } from '../watch/event-feed.ts';
import { Gate, type Refusal } from './gate.ts';
import { Identification } from './identification.ts';
import { MessageRules } from './message-rules.ts';
import { ServerCertificates } from './server-certificates.ts';
import { bearerTokens, TokenFile } from './token-file.ts';
import { TokenTries } from './token-tries.ts';

/** What {@link Access.open} needs. */
export interface AccessOptions {
  readonly tlsDir: string | undefined;
  /** What a token file holds; undefined: none. */
  readonly tokens: string | undefined;
  /** A token file, which is read again when it changes; undefined: none. */
  readonly tokenFile: string | undefined;
  /** Whether it listens where others reach it, with nothing that protects it. */
  readonly isExposed: boolean;
  /** Whether its metrics are where others reach them; nothing ever protects those. */
  readonly isHttpExposed: boolean;
  readonly certificateCheckMs: number;
  /** Wrong tokens in a row from one address. */
  readonly maxWrongTokens: number;
  /** Addresses that are remembered for them. */
  readonly maxWrongTokenPeers: number;
  /** Bytes of the token file. */
  readonly maxTokenFileBytes: number;
  /** Entries of the list of revoked certificates. */
  readonly maxRevocations: number;
  /** Groups, and sessions, whose owners are remembered. */
  readonly maxOwnerEntries: number;
  /** Jobs that can be asked for at once, those that are over included. */
  readonly jobsMax: number;
  readonly feed: EventFeed;
  readonly onLimit: (limit: LimitName) => void;
  /** Whether a job can still be asked for. */
  readonly knowsJob: (id: string) => boolean;
}

const nothing = new RevocationList();
const warnEveryMs = 60_000;
const refusalsEveryMs = 1_000;

/** Who may do what here: certificates, tokens, the gate in front of every service, and what is said of all that. */
export class Access {
  readonly certificates: ServerCertificates | undefined;
  /** Undefined: whoever reaches this coordinator may do everything. */
  readonly gate: Gate | undefined;
  readonly tries: TokenTries;
  readonly #options: AccessOptions;
  readonly #tokenFile: TokenFile | undefined;
  #reminder: NodeJS.Timeout | undefined;
  #refusals = 0;
  #refusalToldAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    options: AccessOptions,
    certificates: ServerCertificates | undefined,
    tokenFile: TokenFile | undefined,
  ) {
    this.#options = options;
    this.certificates = certificates;
    const { knowsJob, jobsMax, maxOwnerEntries, maxWrongTokens, maxWrongTokenPeers, onLimit } = options;
    this.tries = new TokenTries(maxWrongTokens, maxWrongTokenPeers, () => onLimit('wrongTokenPeers'));
    this.#tokenFile = tokenFile;
    const tokens = tokenFile?.tokens ?? (options.tokens === undefined ? [] : bearerTokens(options.tokens));
    if (certificates !== undefined || tokens.length > 0) {
      const identification = new Identification(tokens, () => this.certificates?.revocations ?? nothing);
      tokenFile?.watch((replaced) => {
        identification.replaceTokens(replaced);
        return this.gate?.recheck() ?? 0;
      });
      this.gate = new Gate({
        identification,
        rules: new MessageRules({
          knowsJob,
          jobsMax,
          maxOwnerEntries,
          onDropped: () => onLimit('ownerEntries'),
        }),
        tries: this.tries,
        onRefused: (refusal) => this.#refused(refusal),
      });
    }
  }

  /** Errors: `FILE_NOT_USABLE` for a certificate, a key or a token that cannot be used. */
  static async open(options: AccessOptions): Promise<Access> {
    const { tlsDir, tokenFile: path, certificateCheckMs: checkMs, feed, onLimit } = options;
    const { maxTokenFileBytes: maxBytes, maxRevocations } = options;
    const parts = { checkMs, feed, onLimit };
    let access: Access | undefined;
    const onRevoked = (): number => access?.gate?.recheck() ?? 0;
    const tokenFile = path === undefined ? undefined : await TokenFile.open({ ...parts, path, maxBytes });
    const certificates =
      tlsDir === undefined
        ? undefined
        : await ServerCertificates.open({ ...parts, tlsDir, onRevoked, maxRevocations });
    access = new Access(options, certificates, tokenFile);
    return access;
  }

  get credentials(): ServerCredentials {
    return this.certificates?.credentials ?? ServerCredentials.createInsecure();
  }

  get interceptors(): readonly ServerInterceptor[] {
    return this.gate === undefined ? [] : [this.gate.interceptor];
  }

  /** Whether it is known who makes a call, for `createServer`; undefined: nobody is asked. */
  get isKnown(): ((metadata: Metadata) => boolean) | undefined {
    const { gate } = this;
    return gate === undefined ? undefined : (metadata) => gate.callerOf({ metadata }) !== undefined;
  }

  /** How the coordinator is protected, for its status. */
  get protection(): Protection {
    const expiries = this.certificates?.expiries;
    return {
      encrypted: this.certificates !== undefined,
      authenticated: this.gate !== undefined,
      insecure: this.#options.isExposed || this.#options.isHttpExposed,
      certificateExpiresUnixMs: expiries?.certificateMs ?? 0,
      authorityExpiresUnixMs: expiries?.authorityMs ?? 0,
      revoked: this.certificates?.revocations.size ?? 0,
      troubles: [this.certificates?.trouble, this.#tokenFile?.trouble].filter((each) => each !== undefined),
    };
  }

  /** It listens now: says so, and goes on saying so, where nothing protects it. */
  listening(address: string, http: string | undefined): void {
    const { isExposed, isHttpExposed } = this.#options;
    if (!isExposed && !isHttpExposed) return;
    const warn = (): void => {
      if (isHttpExposed && http !== undefined) {
        const message = `INSECURE: whoever reaches ${http} can read the metrics (--http, --insecure)`;
        this.#options.feed.tell('coordinator.insecure', { address: http }, message, 'warn');
      }
      if (!isExposed) return;
      const message = `INSECURE: whoever reaches ${address} can read what is sent, and run code on every agent (--insecure)`;
      this.#options.feed.tell('coordinator.insecure', { address }, message, 'warn');
    };
    warn();
    this.#reminder = setInterval(warn, warnEveryMs);
    this.#reminder.unref();
  }

  stop(): void {
    clearInterval(this.#reminder);
    this.certificates?.stop();
    this.#tokenFile?.stop();
  }

  /** Told once a second at most: whoever guesses at tokens must not fill the disk as well. */
  #refused({ error, path, peer }: Refusal): void {
    this.#refusals += 1;
    const nowMs = performance.now();
    if (nowMs - this.#refusalToldAtMs < refusalsEveryMs) return;
    const refusals = this.#refusals;
    this.#refusals = 0;
    this.#refusalToldAtMs = nowMs;
    const facts = { code: error.code, path, peer, refusals };
    this.#options.feed.tell(
      'access.refused',
      facts,
      `${path} was refused to ${peer}: ${error.message}`,
      'warn',
    );
  }
}
