import { Command, Option } from 'commander';
import { type StartChildren, startChildrenOption } from '../start-children.ts';
import type { Terminal } from '../terminal.ts';
import { address, wholeNumber, wholeNumberWithin } from '../usage-error.ts';

interface DevFlags {
  readonly agents: number;
  readonly processes?: number;
  readonly startChildren?: StartChildren;
  readonly listen: string;
}

/** `shoal dev`: a whole cluster on this machine, for trying things out. */
export function devCommand(terminal: Terminal, end: (exitCode: number) => void): Command {
  return new Command('dev')
    .summary('start a coordinator and agents on this machine')
    .description(
      'Starts a cluster on this machine. Ctrl-C drains it; when this process ends, all of it is gone.',
    )
    .addOption(new Option('--agents <n>', 'how many agents').argParser(wholeNumber(1)).default(2))
    .addOption(
      new Option('--processes <n>', 'processes of each agent (default: the CPUs, shared out)').argParser(
        wholeNumberWithin(1, 1024),
      ),
    )
    .addOption(
      new Option('--listen <HOST:PORT>', 'where the coordinator listens; port 0 takes a free one')
        .argParser(address)
        .default('127.0.0.1:7300'),
    )
    .addOption(startChildrenOption())
    .action(async ({ agents, listen, ...rest }: DevFlags) => {
      const [{ LocalCluster }, { untilEnded }, { usableCpus }] = await Promise.all([
        import('../local-cluster.ts'),
        import('../service.ts'),
        import('@shoal/pool'),
      ]);
      const processes = rest.processes ?? Math.max(1, Math.floor(usableCpus() / agents));
      const cluster = await LocalCluster.start({ ...rest, listen, agents, processes }, terminal);
      terminal.stdout.write(
        startedText({ address: cluster.address, httpAddress: cluster.httpAddress, agents, processes }),
      );
      end(await untilEnded(cluster, terminal));
    });
}

/** What is said of a cluster that has started: where it is, and what to try. */
export function startedText(cluster: {
  readonly address: string;
  readonly httpAddress: string | undefined;
  readonly agents: number;
  readonly processes: number;
}): string {
  const { address, httpAddress, agents, processes } = cluster;
  const each = `${agents} ${agents === 1 ? 'agent' : 'agents'} x ${processes} ${processes === 1 ? 'process' : 'processes'}`;
  const metrics = httpAddress === undefined ? '' : `metrics on http://${httpAddress}/metrics\n`;
  return (
    `coordinator listening on ${address}, ${each}\n${metrics}\n` +
    `  seq 1 100000 | shoal map examples/square.ts#square --address ${address}\n` +
    `  shoal status --address ${address}\n\n` +
    'Ctrl-C ends it.\n'
  );
}
