import { Command, InvalidArgumentError, Option } from 'commander';
import { addressFromEnvironment, addressOption } from '../coordinator-address.ts';
import { FlagNames } from '../flag-names.ts';
import { inputFormats } from '../map/item-source.ts';
import type { MapRequest } from '../map/map-job.ts';
import { connectionSecurity, type SecurityFlags, tlsDirOption, tokenFileOption } from '../security-flags.ts';
import type { Terminal } from '../terminal.ts';
import { byteSize, duration, labels, usageError, wholeNumber, wholeNumberWithin } from '../usage-error.ts';

/** `shoal map`: one job, from a file, a range or stdin to a file or stdout. */
export function mapCommand(terminal: Terminal, end: (exitCode: number) => void): Command {
  return new Command('map')
    .summary('run a function on every item of a file, a range or stdin')
    .description(
      'Runs the function EXPORT of FILE on every item and writes the results as NDJSON, in the order of the input.\n' +
        'Without --address (or SHOAL_ADDRESS) it uses the CPUs of this machine.',
    )
    .argument('<FILE#EXPORT>', 'the task function; the default export where there is no #EXPORT')
    .addOption(new Option('--input <FILE|-|1..N>', 'where the items come from').default('-', 'stdin'))
    .addOption(
      new Option(
        '--input-format <format>',
        'how the items are written (default: by the name of the file)',
      ).choices(inputFormats),
    )
    .addOption(new Option('--output <FILE|->', 'where the results go').default('-', 'stdout'))
    .option('--unordered', 'write results as they finish')
    .addOption(
      option(
        '--chunk-size <n>',
        'items handed to a process at a time (default: by measured time)',
        chunkSize,
      ),
    )
    .addOption(
      option(
        '--retries <n>',
        'tries again of an item that throws, crashes or times out, 0 to 1000',
        wholeNumberWithin(0, 1000),
      ),
    )
    .addOption(
      option('--timeout <time>', 'how long one item may run: 500ms, 30s, 5m (default: no limit)', duration),
    )
    .addOption(
      option(
        '--processes <n>',
        'processes at once (default: the CPUs; on a cluster all slots)',
        wholeNumberWithin(1, 1024),
      ),
    )
    .addOption(
      option(
        '--deadline <time>',
        'how long the whole job may take; then it ends with 4 (default: no limit)',
        duration,
      ),
    )
    .addOption(
      option(
        '--priority <n>',
        'jobs of a higher priority go first, -100 to 100 (default: 0)',
        wholeNumberWithin(-100, 100),
      ),
    )
    .addOption(
      option('--labels <k=v,…>', 'run it on agents with these labels only (default: any agent)', labels),
    )
    .option('--pure', 'the function has no side effects: what lags may run twice, the first result counts')
    .addOption(
      option(
        '--max-tasks-per-child <n>',
        'replace a process after so many items (default: never)',
        wholeNumber(1),
      ),
    )
    .addOption(
      new Option(
        '--start-children <way>',
        'spawn: a Node process each; fork: copies of one, where that is possible; auto: what is measured to be better ' +
          '(default: spawn)',
      ).choices(['auto', 'spawn', 'fork']),
    )
    .option('--preload', 'forked processes share the module of the function, loaded once before them')
    .addOption(
      option(
        '--max-item-bytes <size>',
        'what one item may take when it is sent (default: 64MiB)',
        byteSize(),
      ),
    )
    .addOption(
      option(
        '--max-result-bytes <size>',
        'what one result may take when it is sent (default: 64MiB)',
        byteSize(),
      ),
    )
    .addOption(
      new Option('--on-error <what>', 'a failed item ends the job, or becomes an {"error": …} line')
        .choices(['stop', 'keep'])
        .default('stop'),
    )
    .option(
      '--save-poison <DIR>',
      'save each item that killed its process or timed out to a file of its own in DIR, for shoal replay; only you ' +
        'may read it',
    )
    .addOption(addressOption('run it on the cluster of this coordinator (default: SHOAL_ADDRESS)'))
    .addOption(tlsDirOption('with --address: the folder with your certificate'))
    .addOption(tokenFileOption('with --address: a file with your token'))
    .option('--insecure', 'with --address: send items and code unprotected over a network')
    .addOption(new Option('--local', 'run it on this machine, whatever SHOAL_ADDRESS says'))
    .action(async (task: string, options: MapFlags, command: Command) => {
      const { local, address, tlsDir, tokenFile, insecure, ...rest } = options;
      if (local === true && address !== undefined) {
        throw usageError('--address and --local exclude each other', 'Leave one out.');
      }
      const coordinator = local === true ? undefined : (address ?? addressFromEnvironment(terminal));
      // Agents may fork what says nothing of it.
      const startDefault = coordinator === undefined ? 'spawn' : undefined;
      if (rest.preload === true && (rest.startChildren ?? startDefault) === 'spawn') {
        throw usageError(
          '--preload shares what forked processes load, and --start-children is spawn',
          'Add --start-children fork or auto, or leave --preload out.',
        );
      }
      const request: MapRequest = {
        task,
        ...rest,
        ...(coordinator === undefined
          ? {}
          : {
              address: coordinator,
              security: await connectionSecurity(
                {
                  ...(tlsDir === undefined ? {} : { tlsDir }),
                  ...(tokenFile === undefined ? {} : { tokenFile }),
                  insecure: insecure === true,
                },
                terminal,
              ),
            }),
      };
      const { runMapJob } = await import('../map/map-job.ts');
      end(await runMapJob(request, terminal, FlagNames.of(command)));
    });
}

type MapFlags = Omit<MapRequest, 'task' | 'security'> & SecurityFlags & { readonly local?: boolean };

const option = (flags: string, description: string, parse: (text: string) => unknown): Option =>
  new Option(flags, description).argParser(parse);

function chunkSize(text: string): number | 'auto' {
  if (text === 'auto') return text;
  const value = wholeNumber(1)(text);
  if (value > 1_000_000) throw new InvalidArgumentError('Give at most 1000000.');
  return value;
}
