import type { AcceptedEncoding } from '@shoal/node-agent';
import type { IsolationLevel } from '@shoal/pool';
import { Command, InvalidArgumentError, Option } from 'commander';
import { complain } from '../complaint.ts';
import { exitCode, exitCodeOf } from '../exit-code.ts';
import { checkedAs, FlagNames } from '../flag-names.ts';
import { type SecurityFlags, secretIn, tlsDirOf, tlsDirOption, tokenText } from '../security-flags.ts';
import { type StartChildren, startChildrenOption } from '../start-children.ts';
import type { Terminal } from '../terminal.ts';
import { address, byteSize, labels, milliseconds, wholeNumber, wholeNumberWithin } from '../usage-error.ts';

interface AgentFlags extends SecurityFlags {
  readonly join: string;
  readonly name?: string;
  readonly processes?: number;
  readonly maxTasksPerChild?: number;
  readonly maxRssBytes?: number;
  readonly startChildren?: StartChildren;
  readonly labels?: Readonly<Record<string, string>>;
  readonly isolation?: IsolationLevel;
  readonly isolationUids?: readonly [number, number];
  readonly isolationImage?: string;
  readonly isolationMemoryBytes?: number;
  readonly isolationCpus?: number;
  readonly bundleDir?: string;
  readonly bundleCacheBytes?: number;
  readonly maxSpoolBytes?: number;
  readonly drainMs?: number;
  readonly encodings?: readonly AcceptedEncoding[];
  /** A file. */
  readonly token?: string;
}

function uidRange(text: string): readonly [number, number] {
  const [, from, to] = /^(\d{1,10})-(\d{1,10})$/.exec(text) ?? [];
  if (from === undefined || to === undefined) {
    throw new InvalidArgumentError('Give the first and the last number: 1900000000-1900000999.');
  }
  return [Number(from), Number(to)];
}

function cpus(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0.01 && value <= 1024) return value;
  throw new InvalidArgumentError('Give 0.01 to 1024.');
}

/** `shoal agent`: this machine's processes, at the service of a coordinator. */
export function agentCommand(terminal: Terminal, end: (exitCode: number) => void): Command {
  return new Command('agent')
    .summary('serve a coordinator with the CPUs of this machine')
    .description(
      'Joins a coordinator and runs what it hands out, in processes of its own. The agent dials out; nothing connects ' +
        'to it. SIGTERM (or Ctrl-C) drains: what runs finishes, nothing new starts; a second one ends it now.',
    )
    .addOption(new Option('--join <HOST:PORT>', 'the coordinator').argParser(address).makeOptionMandatory())
    .option(
      '--name <name>',
      'its name in the cluster, unlike any other (default: host, pid and a random part)',
    )
    .addOption(
      new Option('--processes <n>', 'tasks that run at once (default: the CPUs)').argParser(
        wholeNumberWithin(1, 1024),
      ),
    )
    .addOption(
      new Option('--max-tasks-per-child <n>', 'replace a process after so many tasks at most').argParser(
        wholeNumber(1),
      ),
    )
    .addOption(
      tlsDirOption('the folder with its certificate, or where one is written when it joins with a token'),
    )
    .addOption(
      new Option(
        '--token <FILE>',
        'a file with a token to join with (shoal token create), or with one of the token file of the coordinator, ' +
          'mode 0600 (default: the token in SHOAL_TOKEN)',
      ),
    )
    .addOption(
      new Option(
        '--max-rss-bytes <bytes>',
        'memory of a process, for jobs that set no limit and at most for others; beyond it the process is replaced, ' +
          'and killed with its item at twice that: 512MiB, 4GiB (from 1MiB)',
      ).argParser(byteSize(2 ** 40, 2 ** 20)),
    )
    .addOption(startChildrenOption())
    .addOption(
      new Option(
        '--labels <list>',
        'what jobs can ask for: gpu=a100,zone=north (names: letters, digits, . _ - /)',
      ).argParser(labels),
    )
    .addOption(
      new Option(
        '--isolation <level>',
        'how processes are kept away from this machine (docs/isolation.md): user takes root, container Docker',
      )
        .choices(['process', 'permission', 'user', 'container'])
        .default('process'),
    )
    .addOption(
      new Option(
        '--isolation-uids <FROM-TO>',
        'users for --isolation user that nothing else here uses, twice as many as processes or more (default: 1000 from ' +
          '1900000000 on that no other agent here has)',
      ).argParser(uidRange),
    )
    .addOption(
      new Option(
        '--isolation-image <image>',
        'the image for --isolation container: the one of this release (default: shoal:VERSION)',
      ),
    )
    .addOption(
      new Option(
        '--isolation-memory-bytes <bytes>',
        'memory of a container: 512MiB (from 64MiB; default: that of this machine, divided by the processes)',
      ).argParser(byteSize(2 ** 40, 64 * 2 ** 20)),
    )
    .addOption(new Option('--isolation-cpus <n>', 'CPUs of a container: 0.5, 2 (default: 1)').argParser(cpus))
    .option('--bundle-dir <dir>', 'where the code of jobs is kept (default: the folder for temporary files)')
    .addOption(
      new Option(
        '--bundle-cache-bytes <bytes>',
        'how much code is kept there: 64MiB, 1GiB (default: 1GiB)',
      ).argParser(byteSize(2 ** 40)),
    )
    .addOption(
      new Option(
        '--max-spool-bytes <bytes>',
        'results kept until the coordinator takes them; then processes wait: 64MiB (default: 32MiB)',
      ).argParser(byteSize(2 ** 40)),
    )
    .addOption(
      new Option(
        '--encodings <list>',
        'what items may come in: json,bytes (default: v8,json,bytes; v8 is that of the TypeScript client); jobs in others ' +
          'run elsewhere',
      ).argParser((text) => text.split(',') as AcceptedEncoding[]),
    )
    .option('--insecure', 'join over a network although nothing protects the connection')
    .addOption(
      new Option(
        '--drain-ms <n>',
        'how long SIGTERM waits for what runs; the rest goes to others (default: 30000)',
      ).argParser(milliseconds),
    )
    .action(async (flags: AgentFlags, command: Command) => {
      const { token: tokenFile, tlsDir: _, ...config } = flags;
      const names = FlagNames.of(command);
      const [{ checkConfig, startAgent }, { serviceLog }, { untilEnded }] = await Promise.all([
        import('@shoal/node-agent'),
        import('../service-log.ts'),
        import('../service.ts'),
      ]);
      const tlsDir = tlsDirOf(flags, terminal);
      const text = await tokenText(tokenFile, terminal, '--token');
      const settings = {
        ...config,
        ...(tlsDir === undefined ? {} : { tlsDir }),
        ...(text === undefined ? {} : { token: await secretIn(text, tokenFile) }),
        log: await serviceLog(terminal),
      };
      checkedAs(names, () => checkConfig(settings));
      // While it waits for a coordinator there is no agent yet, but somebody who may want it to end.
      const unwanted = new AbortController();
      const starting = startAgent(settings, unwanted.signal);
      const ended = starting.then(async (agent) => {
        void agent.joined.then(() => terminal.stdout.write(`agent ${agent.name} joined ${config.join}\n`));
        const error = await agent.ended;
        if (error === undefined) return exitCode.done;
        complain(terminal, error, names);
        return exitCodeOf(error);
      });
      // That it was ended is told by the signal that did it.
      const endedByItself = ended.catch((error: unknown) =>
        error === unwanted.signal.reason ? new Promise<never>(() => {}) : Promise.reject(error),
      );
      const close = async (options: { readonly drain: boolean }): Promise<void> => {
        unwanted.abort();
        const agent = await starting.catch((error: unknown) => {
          if (error !== unwanted.signal.reason) throw error;
          settings.log.info({ event: 'agent.stopped' }, 'the agent stopped before it had joined');
        });
        await agent?.close(options);
      };
      end(await untilEnded({ close, ended: endedByItself }, terminal));
    });
}
