import { ClusterClient, type ConnectionOptions } from '@shoal/client';
import { ShoalError } from '@shoal/errors';
import { agentTroubles } from '../agent-text.ts';
import { limitLines, protectionLines } from '../status-text.ts';
import { version } from '../version.ts';
import type { Finding } from './finding.ts';

const answerWithinMs = 3_000;
const soonMs = 7 * 86_400_000;

/** What a coordinator says of itself and its agents; or why it says nothing. */
export async function clusterFindings(
  address: string,
  security: () => Promise<Partial<ConnectionOptions>>,
  nowMs: number,
): Promise<{ readonly findings: Finding[]; readonly error?: unknown }> {
  const what = `coordinator ${address}`;
  try {
    const options = { connectTimeoutMs: answerWithinMs, ...(await security()) };
    await using client = await ClusterClient.open(address, options);
    const status = await client.status();
    // An agent may not list others.
    const agents = await client.agents().catch(() => []);
    const { certificateExpiresUnixMs = 0, authorityExpiresUnixMs = 0 } = status.protection ?? {};
    const expiresMs = Math.min(certificateExpiresUnixMs, authorityExpiresUnixMs);
    const isWeak = status.protection?.insecure === true || (expiresMs > 0 && expiresMs - nowMs < soonMs);
    const protection = protectionLines(status.protection, nowMs);
    const own = status.coordinator?.version ?? '';
    const says = own === version ? `answers, release ${own}` : `answers, release ${own}; this is ${version}`;
    return {
      findings: [
        { what, state: own === version ? 'ok' : 'warning', says },
        ...protection.map(
          (line): Finding => ({ what: 'protection', state: isWeak ? 'warning' : 'ok', says: line }),
        ),
        {
          what: 'agents',
          state: status.agents === 0 ? 'warning' : 'ok',
          says:
            status.agents === 0
              ? `none; start one: shoal agent --join ${address}`
              : `${status.agents} connected`,
        },
        ...agentTroubles(agents, nowMs).map((says): Finding => ({ what: 'agents', state: 'warning', says })),
        // Whoever waits for a limit at this moment is no matter of health.
        ...limitLines({ limitsReached: status.limitsReached, limitsWaiting: {} }).map(
          (says): Finding => ({ what: 'limits', state: 'warning', says }),
        ),
      ],
    };
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    return { findings: [{ what, state: 'broken', says: `${error.code}: ${error.message}` }], error };
  }
}
