import type { AgentInfo } from '@shoal/protocol';
import { Command } from 'commander';
import { withConnectingNotice } from '../connecting-notice.ts';
import { addressFromEnvironment, addressOption, defaultAddress } from '../coordinator-address.ts';
import { writeOut } from '../output.ts';
import { type OutputFormat, outputFormatOption } from '../output-format.ts';
import { connectFlags, connectionSecurity, type SecurityFlags } from '../security-flags.ts';
import type { Terminal } from '../terminal.ts';

interface AgentsFlags extends SecurityFlags {
  readonly address?: string;
  readonly outputFormat: OutputFormat;
}

/** `shoal agents`: who runs the work, and who is to take no more of it. */
export function agentsCommand(terminal: Terminal): Command {
  const ls = verb('ls', 'list the agents').action((flags: AgentsFlags) =>
    withClient(terminal, flags, async (client) => {
      const [agents, text] = await Promise.all([client.agents(), import('../agent-text.ts')]);
      return flags.outputFormat === 'json'
        ? `${JSON.stringify(agents.map(text.agentRecord))}\n`
        : text.agentList(agents);
    }),
  );
  const drain = verb('drain', 'give an agent no new work; what it runs is finished')
    .argument('<NAME>', 'an agent, as shoal agents ls names it')
    .action((name: string, flags: AgentsFlags) =>
      withClient(terminal, flags, async (client) => changed(await client.drainAgent(name), flags)),
    );
  const resume = verb('resume', 'give a drained agent work again')
    .argument('<NAME>', 'an agent, as shoal agents ls names it')
    .action((name: string, flags: AgentsFlags) =>
      withClient(terminal, flags, async (client) => changed(await client.resumeAgent(name), flags)),
    );
  return new Command('agents')
    .summary('list agents, take them out of service and back')
    .description(
      'Lists the agents of a cluster, and takes them out of service and back. A drained agent stays connected: it finishes ' +
        'what it runs and gets nothing new until it is resumed. Nothing runs twice for it.',
    )
    .addCommand(ls)
    .addCommand(drain)
    .addCommand(resume);
}

function verb(name: string, summary: string): Command {
  const command = new Command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .addOption(addressOption('the coordinator (default: SHOAL_ADDRESS, or 127.0.0.1:7300)'))
    .addOption(outputFormatOption());
  for (const flag of connectFlags()) command.addOption(flag);
  return command;
}

/** Asks the coordinator and writes what came of it to stdout. */
async function withClient(
  terminal: Terminal,
  flags: AgentsFlags,
  ask: (client: import('@shoal/client').ClusterClient) => Promise<string>,
): Promise<void> {
  const address = flags.address ?? addressFromEnvironment(terminal) ?? defaultAddress;
  const { ClusterClient } = await import('@shoal/client');
  await using client = await withConnectingNotice(
    address,
    ClusterClient.open(address, await connectionSecurity(flags, terminal)),
    (text) => void terminal.stderr.write(`${text}\n`),
  );
  await writeOut(terminal, await ask(client));
}

/** How an agent is after it was told: `agent-1 draining, 2 attempts run on`. */
async function changed(agent: AgentInfo | undefined, { outputFormat }: AgentsFlags): Promise<string> {
  if (agent === undefined) return '';
  const { agentRecord, agentState } = await import('../agent-text.ts');
  if (outputFormat === 'json') return `${JSON.stringify(agentRecord(agent))}\n`;
  const held = agent.heldAttempts;
  const running = held === 0 ? 'nothing runs' : `${held} ${held === 1 ? 'attempt runs' : 'attempts run'} on`;
  return `${agent.name} ${agentState(agent)}, ${running}\n`;
}
