import { Command, Option } from 'commander';
import { addressFromEnvironment, addressOption, defaultAddress } from '../coordinator-address.ts';
import type { Terminal } from '../terminal.ts';

interface StatusFlags {
  readonly address?: string;
  readonly outputFormat: 'text' | 'json';
}

/** A health check asks every few seconds; a coordinator that needs longer is not well. */
const answerWithinMs = 3000;

/** `shoal status`: the cluster at a glance. Also the health check of a container. */
export function statusCommand(terminal: Terminal): Command {
  return new Command('status')
    .summary('show the agents and jobs of a cluster')
    .description('Shows the agents and jobs of a cluster. Exit code 3 if the coordinator cannot be reached.')
    .addOption(addressOption('the coordinator (default: SHOAL_ADDRESS, or 127.0.0.1:7300)'))
    .addOption(
      new Option('--output-format <format>', 'for people or for programs')
        .choices(['text', 'json'])
        .default('text'),
    )
    .action(async (flags: StatusFlags) => {
      const address = flags.address ?? addressFromEnvironment(terminal) ?? defaultAddress;
      const [{ ClusterClient }, { statusText }] = await Promise.all([
        import('@shoal/client'),
        import('../status-text.ts'),
      ]);
      await using client = await ClusterClient.open(address, { connectTimeoutMs: answerWithinMs });
      const [cluster, agents, jobs] = await Promise.all([client.status(), client.agents(), client.jobs()]);
      const report = { address, cluster, agents, jobs };
      terminal.stdout.write(
        flags.outputFormat === 'json' ? `${JSON.stringify(report)}\n` : statusText(report),
      );
    });
}
