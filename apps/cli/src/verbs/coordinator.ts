import { Command, Option } from 'commander';
import type { Terminal } from '../terminal.ts';
import { address } from '../usage-error.ts';

/** `shoal coordinator`: the one process that agents and clients connect to. */
export function coordinatorCommand(terminal: Terminal, end: (exitCode: number) => void): Command {
  return new Command('coordinator')
    .summary('start the coordinator of a cluster')
    .description(
      'Starts a coordinator and prints its address once it listens. SIGTERM (or Ctrl-C) drains: running jobs\n' +
        'finish, nothing new is taken; a second one ends it now.',
    )
    .addOption(
      new Option('--listen <HOST:PORT>', 'where it listens; port 0 takes a free one')
        .argParser(address)
        .default('127.0.0.1:7300'),
    )
    .option('--insecure', 'listen on an address that other machines reach, with no protection at all')
    .action(async ({ listen, insecure }: { listen: string; insecure?: boolean }) => {
      const [{ startCoordinator }, { serviceLog }, { untilEnded }] = await Promise.all([
        import('@shoal/coordinator'),
        import('../service-log.ts'),
        import('../service.ts'),
      ]);
      const log = await serviceLog(terminal);
      const coordinator = await startCoordinator({ listen, insecure: insecure === true, log });
      terminal.stdout.write(`coordinator listening on ${coordinator.address}\n`);
      end(await untilEnded(coordinator));
    });
}
