import { once } from 'node:events';
import { connect } from 'node:tls';

/**
 * Whether what listens there speaks TLS. Nothing is sent but a greeting, and nothing that comes back is believed: this
 * finds the words for a connection that has failed.
 */
export async function speaksTls(host: string, port: number, timeoutMs: number): Promise<boolean> {
  const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(timeoutMs) });
    return true;
  } catch {
    return false;
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}
