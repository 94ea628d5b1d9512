import { constants } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { tlsVersion } from './dial-credentials.ts';

/** Certificates and key of a server, as PEM. */
export interface ListenMaterial {
  /** Whose certificates are accepted of callers. */
  readonly ca: string;
  /** The server's own, with its chain. */
  readonly cert: string;
  readonly key: string;
}

/**
 * TLS 1.3 for a server, whose certificate can be replaced while it runs: new connections get the new one, and those
 * that are open go on.
 *
 * A caller is asked for a certificate and may come without one, or with one that is not good: it can have a token, or
 * want to join. Who may call what is decided call by call, where a refusal can be told in words.
 */
export class ListenCredentials extends ServerCredentials {
  constructor(material: ListenMaterial) {
    super({ requestCert: true, rejectUnauthorized: false }, contextOf(material));
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }

  /** From now on new connections are met with this. Throws what Node says of a key that does not fit. */
  replace(material: ListenMaterial): void {
    this.updateSecureContextOptions(contextOf(material));
  }
}

/** No tickets: whoever came back with one would not have its certificate looked at, though it has expired since. */
const secureOptions = constants.SSL_OP_NO_TICKET;

type Context = NonNullable<ConstructorParameters<typeof ServerCredentials>[1]>;

function contextOf({ ca, cert, key }: ListenMaterial): Context {
  const context: Context = { ca, cert, key, minVersion: tlsVersion, secureOptions };
  // grpc-js swallows the error of a context that cannot be made, and lets nobody in from then on.
  createSecureContext(context);
  return context;
}
