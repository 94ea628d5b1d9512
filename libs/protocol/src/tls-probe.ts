import { once } from 'node:events';
import { connect } from 'node:tls';

/**
 * Whether what listens there speaks TLS. Nothing is sent but a greeting, and nothing that comes back is believed: this
 * finds the words for a connection that has failed. False, too, when `signal` aborts first.
 */
export async function speaksTls(
  host: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const over = signal === undefined ? late : AbortSignal.any([late, signal]);
    await once(socket, 'secureConnect', { signal: over });
    return true;
  } catch {
    return false;
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}
