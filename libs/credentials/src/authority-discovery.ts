import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { certificateFingerprint } from './certificate-facts.ts';

/** How an authority is looked for. */
export interface Discovery {
  readonly host: string;
  readonly port: number;
  /** What the authority's certificate is known by, from a token to join with. */
  readonly fingerprint: string;
  readonly timeoutMs: number;
  /** Ends it earlier. Default: nothing does. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The certificate (PEM) of the authority that a coordinator was signed by, for a machine that has none yet.
 *
 * Nothing is sent and nothing is believed here but what the fingerprint proves: a stranger in the middle has another
 * authority. Undefined where the one that is looked for is not among what the coordinator shows. Throws the error of
 * the connection.
 */
export async function discoverAuthority({
  host,
  port,
  fingerprint,
  timeoutMs,
  signal,
}: Discovery): Promise<string | undefined> {
  const socket: TLSSocket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  const late = AbortSignal.timeout(timeoutMs);
  try {
    await once(socket, 'secureConnect', {
      signal: signal === undefined ? late : AbortSignal.any([late, signal]),
    });
    const seen = new Set<string>();
    let shown: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
    // The last of a chain names itself as its issuer.
    while (shown?.raw !== undefined && !seen.has(shown.fingerprint256)) {
      seen.add(shown.fingerprint256);
      const certificate: X509Certificate = new X509Certificate(shown.raw);
      if (certificate.ca && certificateFingerprint(certificate) === fingerprint)
        return certificate.toString();
      shown = shown.issuerCertificate;
    }
    return undefined;
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}
