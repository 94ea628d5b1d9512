import { ShoalError } from '@shoal/errors';
import { Command } from 'commander';
import { addressFromEnvironment, addressOption, defaultAddress } from '../coordinator-address.ts';
import { writeOut } from '../output.ts';
import { type OutputFormat, outputFormatOption } from '../output-format.ts';
import { connectFlags, connectionSecurity, type SecurityFlags } from '../security-flags.ts';
import type { Terminal } from '../terminal.ts';

interface StatusFlags extends SecurityFlags {
  readonly address?: string;
  readonly outputFormat: OutputFormat;
}

/** A health check asks every few seconds; a coordinator that needs longer is not well. */
const answerWithinMs = 3000;

/** `shoal status`: the cluster at a glance. Also the health check of a container. */
export function statusCommand(terminal: Terminal): Command {
  const command = new Command('status')
    .summary('show the agents and jobs of a cluster')
    .description('Shows the agents and jobs of a cluster. Exit code 3 if the coordinator cannot be reached.')
    .addOption(addressOption('the coordinator (default: SHOAL_ADDRESS, or 127.0.0.1:7300)'))
    .addOption(outputFormatOption());
  for (const flag of connectFlags()) command.addOption(flag);
  return command.action(async (flags: StatusFlags) => {
    const address = flags.address ?? addressFromEnvironment(terminal) ?? defaultAddress;
    const [{ ClusterClient }, { statusRecord, statusText }] = await Promise.all([
      import('@shoal/client'),
      import('../status-text.ts'),
    ]);
    const security = await connectionSecurity(flags, terminal);
    await using client = await ClusterClient.open(address, { connectTimeoutMs: answerWithinMs, ...security });
    const [cluster, agents, jobs] = await Promise.all([
      client.status(),
      asFarAsAllowed(client.agents()),
      asFarAsAllowed(client.jobs()),
    ]);
    const report = { address, cluster, agents, jobs };
    await writeOut(
      terminal,
      flags.outputFormat === 'json' ? `${JSON.stringify(statusRecord(report))}\n` : statusText(report),
    );
  });
}

/** An agent may see how its coordinator is and no more: as a health check that is enough. */
async function asFarAsAllowed<T>(list: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await list;
  } catch (error) {
    if (error instanceof ShoalError && error.code === 'PERMISSION_DENIED') return [];
    throw error;
  }
}
