import { ShoalError } from '@shoal/errors';
import { Command, Option } from 'commander';
import { complain } from '../complaint.ts';
import { exitCode, exitCodeOf } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { address, wholeNumber } from '../usage-error.ts';

interface AgentFlags {
  readonly join: string;
  readonly name?: string;
  readonly processes?: number;
  readonly maxTasksPerChild?: number;
  readonly insecure?: boolean;
}

/** `shoal agent`: this machine's processes, at the service of a coordinator. */
export function agentCommand(terminal: Terminal, end: (exitCode: number) => void): Command {
  return new Command('agent')
    .summary('serve a coordinator with the CPUs of this machine')
    .description(
      'Joins a coordinator and runs what it hands out, in processes of its own. The agent dials out; nothing connects\n' +
        'to it. SIGTERM (or Ctrl-C) drains: what runs finishes, nothing new starts; a second one ends it now.',
    )
    .addOption(new Option('--join <HOST:PORT>', 'the coordinator').argParser(address).makeOptionMandatory())
    .option(
      '--name <name>',
      'its name in the cluster, unlike any other (default: host, pid and a random part)',
    )
    .addOption(
      new Option('--processes <n>', 'tasks that run at once (default: the CPUs)').argParser(wholeNumber(1)),
    )
    .addOption(
      new Option('--max-tasks-per-child <n>', 'replace a process after so many tasks at most').argParser(
        wholeNumber(1),
      ),
    )
    .option('--insecure', 'join over a network although nothing protects the connection')
    .action(async ({ insecure, ...config }: AgentFlags) => {
      const [{ startAgent }, { serviceLog }, { untilEnded }] = await Promise.all([
        import('@shoal/node-agent'),
        import('../service-log.ts'),
        import('../service.ts'),
      ]);
      if (insecure !== true && !/^(localhost|127\.|\[::1\])/.test(config.join)) {
        throw new ShoalError('INSECURE_CONNECT', { address: config.join });
      }
      const agent = await startAgent({ ...config, log: await serviceLog(terminal) });
      void agent.joined.then(() => terminal.stdout.write(`agent ${agent.name} joined ${config.join}\n`));
      const ended = agent.ended.then((error) => {
        if (error === undefined) return exitCode.done;
        complain(terminal, error);
        return exitCodeOf(error);
      });
      end(await untilEnded({ close: (options) => agent.close(options), ended }));
    });
}
