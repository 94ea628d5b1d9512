import type { TLSSocket } from 'node:tls';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import type { SubjectFields } from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import { peerOfCall, statusOf } from '@shoal/protocol';
import { checkAccess } from './access-table.ts';
import { whenHeard } from './hearing.ts';
import type { Identification, Shown } from './identification.ts';
import type { Identity } from './identity.ts';
import { type KnownConnection, KnownConnections } from './known-connections.ts';
import type { MessageRule, MessageRules } from './message-rules.ts';
import type { TokenTries } from './token-tries.ts';

/** What a {@link Gate} is made of. */
export interface GateParts {
  readonly identification: Identification;
  readonly rules: MessageRules;
  /** Who has shown wrong tokens. */
  readonly tries: TokenTries;
  /** Hears of every refusal. */
  readonly onRefused: (refusal: Refusal) => void;
}

/** A call that was turned away. */
export interface Refusal {
  readonly error: ShoalError;
  readonly path: string;
  /** The address of the caller. */
  readonly peer: string;
}

/** How long somebody has to hear why his calls end. */
const hearingMs = 2_000;

/**
 * Every call passes here before its service hears of it: who calls, whether he may (access-table.ts), and whether what
 * he asks for is his (message-rules.ts). What is refused is told in words.
 */
export class Gate {
  readonly #parts: GateParts;
  /** By the one object of a call that a service is handed, too. */
  readonly #callers = new WeakMap<Metadata, Identity>();
  /**
   * Connections over which a right token came. Whoever guesses from the same address, or from behind the same router,
   * does not shut them out.
   */
  readonly #proven = new WeakSet<object>();
  readonly #connections = new KnownConnections();
  /** Calls that are open, and how to end them. */
  readonly #open = new Map<(error: ShoalError) => void, Identity>();

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Who makes a call that was let through; undefined for anyone who needs not be known. */
  callerOf({ metadata }: { readonly metadata: Metadata }): Identity | undefined {
    return this.#callers.get(metadata);
  }

  /** What callers showed may have been taken back: ends the calls and the connections of those. Returns how many calls. */
  recheck(): number {
    const lost = [...this.#open].flatMap(([end, caller]) => {
      const error = this.#parts.identification.lost(caller);
      return error === undefined ? [] : [() => end(error)];
    });
    for (const end of lost) end();
    this.#connections.close((caller) => this.#parts.identification.lost(caller) !== undefined, hearingMs);
    return lost.length;
  }

  readonly interceptor: ServerInterceptor = ({ path }, call) => {
    const rules = this.#parts.rules.byPath[path] ?? {};
    let caller: Identity | undefined;
    let refused = false;
    let isOver = false;
    const over = (): void => {
      isOver = true;
      this.#open.delete(end);
    };
    const refuse = (error: unknown): void => {
      if (isOver) return;
      refused = true;
      over();
      call.sendStatus(statusOf(error));
      if (error instanceof ShoalError) this.#parts.onRefused({ error, path, peer: call.getPeer() });
    };
    /** Of a call that was let in. Somebody who does not read would never hear of it, and stay. */
    const end = (error: ShoalError): void => {
      refuse(error);
      const { stream } = call as unknown as CallWithSocket;
      whenHeard(hearingMs, () => stream?.destroy?.());
    };
    /** Hands a message on, unless its rule refuses it. Nothing of a refused call goes further, in either direction. */
    const pass = <T>(by: MessageRule | undefined, message: T, next: (message: T) => void): void => {
      if (refused) return;
      if (by === undefined || caller === undefined) {
        next(message);
        return;
      }
      let passed: T;
      try {
        passed = by(message as never, caller) as T;
      } catch (error) {
        refuse(error);
        return;
      }
      next(passed);
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, go) => {
            try {
              const found = this.#identified(call, shownBy(call, metadata));
              checkAccess(path, found);
              if (!(found instanceof ShoalError)) {
                caller = found;
                this.#callers.set(metadata, found);
                if (!isOver) this.#open.set(end, found);
                const connection = (call as unknown as CallWithSocket).stream?.session;
                if (connection !== undefined) this.#connections.seen(connection, found);
              }
            } catch (error) {
              refuse(error);
              return;
            }
            // The secret is not the business of anybody behind this.
            metadata.remove('authorization');
            go(metadata);
          },
          onReceiveMessage: (message, go) => pass(rules.request, message, go),
          onReceiveHalfClose: (go) => {
            if (!refused) go();
          },
          onCancel: () => over(),
        }),
      sendMessage: (message, go) => pass(rules.response, message, go),
      sendStatus: (status, go) => {
        over();
        if (!refused) go(status);
      },
    });
  };

  #identified(call: ServerInterceptingCallInterface, shown: Shown): Identity | ShoalError {
    const { identification, tries } = this.#parts;
    // A token beside a revoked certificate is not compared with any, so it is no guess either.
    if (shown.authorization === undefined || identification.showsRevoked(shown))
      return identification.identify(shown);
    const peer = peerOfCall(call.getPeer());
    const connection = (call as unknown as CallWithSocket).stream?.session;
    const nowMs = performance.now();
    if (connection === undefined || !this.#proven.has(connection)) tries.check(peer, nowMs);
    const found = identification.identify(shown);
    if (found instanceof ShoalError) tries.wrong(peer, nowMs);
    else {
      tries.right(peer);
      if (connection !== undefined) this.#proven.add(connection);
    }
    return found;
  }
}

function shownBy(call: ServerInterceptingCallInterface, metadata: Metadata): Shown {
  const [authorization] = metadata.get('authorization');
  return {
    authorization: authorization === undefined ? undefined : String(authorization),
    certificate: certificateOf(call),
  };
}

/** What grpc-js shows of a certificate that is not good: nothing. Its socket knows why. */
type CallWithSocket = {
  readonly stream?: {
    readonly session?: KnownConnection & { readonly socket?: Partial<TLSSocket> };
    readonly destroy?: () => void;
  };
};

function certificateOf(call: ServerInterceptingCallInterface): Shown['certificate'] {
  const { sslPeerCertificate: verified } = call.getAuthContext();
  if (verified !== undefined) {
    const { serialNumber: serial, subject, valid_from: validFrom, valid_to: validTo } = verified;
    return {
      subject: subject as unknown as SubjectFields,
      serial,
      validFromMs: Date.parse(validFrom),
      validToMs: Date.parse(validTo),
    };
  }
  const socket = (call as unknown as CallWithSocket).stream?.session?.socket;
  const shown = socket?.getPeerCertificate?.();
  if (shown === undefined || shown === null || Object.keys(shown).length === 0) return undefined;
  return { problem: String(socket?.authorizationError ?? 'not verified') };
}
