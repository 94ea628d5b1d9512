import type { CoordinatorConfig } from '@shoal/coordinator';
import { Command, Option } from 'commander';
import { checkedAs, FlagNames } from '../flag-names.ts';
import {
  type SecurityFlags,
  tlsDirOf,
  tlsDirOption,
  tokenFileOption,
  tokenSource,
} from '../security-flags.ts';
import type { Terminal } from '../terminal.ts';
import { address, addressOrOff, byteSize, milliseconds, wholeNumber } from '../usage-error.ts';
import { type SchedulerFlags, timeOptions, withScheduling } from './coordinator-times.ts';

interface CoordinatorFlags
  extends SecurityFlags,
    SchedulerFlags,
    Omit<CoordinatorConfig, 'log' | 'scheduling' | 'tlsDir' | 'tokens' | 'tokenFile' | 'insecure'> {}

/** `shoal coordinator`: the one process that agents and clients connect to. */
export function coordinatorCommand(terminal: Terminal, end: (exitCode: number) => void): Command {
  const command = new Command('coordinator')
    .summary('start the coordinator of a cluster')
    .description(
      'Starts a coordinator and prints its address once it listens. SIGTERM (or Ctrl-C) drains: running jobs ' +
        'finish, nothing new is taken; a second one ends it now.',
    )
    .addOption(
      new Option('--listen <HOST:PORT>', 'where it listens; port 0 takes a free one')
        .argParser(address)
        .default('127.0.0.1:7300'),
    )
    .addOption(
      new Option(
        '--http <HOST:PORT|off>',
        'where GET /metrics, for Prometheus, and /healthz answer; on loopback unless --insecure ' +
          '(default: 127.0.0.1, at the port of --listen + 1000; nowhere beside port 0)',
      ).argParser(addressOrOff),
    )
    .addOption(tlsDirOption('the folder with its certificate, as shoal certs init makes it'))
    .addOption(tokenFileOption('a file with tokens that open it, one [ROLE] TOKEN a line'))
    .option('--insecure', 'listen on an address that other machines reach, with no protection at all')
    .addOption(limit('--max-item-bytes <size>', 'what one item may take (default: 64MiB)', byteSize()))
    .addOption(limit('--max-result-bytes <size>', 'what one result may take (default: 64MiB)', byteSize()))
    .addOption(limit('--max-bundle-bytes <size>', 'what one bundle may take (default: 64MiB)', byteSize()))
    .addOption(
      limit(
        '--max-bundle-store-bytes <size>',
        'what all bundles may take together (default: 1GiB)',
        byteSize(2 ** 40),
      ),
    )
    .addOption(
      limit(
        '--max-payload-bytes <size>',
        'what items and results may take in memory; the rest lies on the disk (default: 512MiB)',
        byteSize(2 ** 40),
      ),
    )
    .option('--spill-dir <folder>', "where that rest lies (default: the system's folder for temporary files)")
    .addOption(limit('--max-spill-bytes <size>', 'what it may take there (default: 4GiB)', byteSize(2 ** 50)))
    .addOption(
      limit(
        '--max-request-bytes <size>',
        'what the requests of all jobs may take (default: 256MiB)',
        byteSize(),
      ),
    )
    .addOption(limit('--max-jobs <n>', 'jobs known at once (default: 10000)', wholeNumber(1)))
    .addOption(limit('--window-bytes <size>', 'what a job may hold (default: 32MiB)', byteSize()))
    .addOption(limit('--max-print-bytes <size>', 'prints that wait for a client (default: 1MiB)', byteSize()))
    .addOption(limit('--max-labels <n>', 'labels of a job or an agent (default: 64)', wholeNumber(1)))
    .addOption(limit('--max-agent-slots <n>', 'processes of one agent (default: 1024)', wholeNumber(1)))
    .addOption(limit('--max-message-bytes <size>', 'one message (default: 4MiB)', byteSize(2 ** 30, 2 ** 20)))
    .addOption(limit('--max-metadata-bytes <size>', "a call's metadata (default: 16KiB)", byteSize(2 ** 16)))
    .addOption(limit('--max-connections <n>', 'connections at once (default: 10000)', wholeNumber(1)))
    .addOption(
      limit('--max-connections-per-peer <n>', 'those from one address (default: 2000)', wholeNumber(1)),
    )
    .addOption(
      limit('--max-streams-per-connection <n>', 'calls at once on one (default: 1000)', wholeNumber(4)),
    )
    .addOption(
      limit('--first-byte-ms <n>', 'a connection may be silent for so long (default: 10000)', milliseconds),
    )
    .addOption(limit('--handshake-ms <n>', 'its handshakes may take so long (default: 10000)', milliseconds))
    .addOption(
      limit(
        '--authentication-ms <n>',
        'then somebody has to be let in in time (default: 30000)',
        milliseconds,
      ),
    )
    .addOption(
      limit('--idle-ms <n>', 'one without a call is closed after this (default: 600000)', milliseconds),
    )
    .addOption(
      limit(
        '--max-session-memory-bytes <size>',
        'what one connection may hold in memory (default: 64MiB)',
        byteSize(2 ** 40, 2 ** 20),
      ),
    )
    .addOption(
      limit(
        '--stream-window-bytes <size>',
        'what a caller sends before it was read; more suits long lines (default: 256KiB)',
        byteSize(2 ** 30 - 1, 65_535),
      ),
    )
    .addOption(
      limit(
        '--part-bytes <size>',
        'what is sent in one message: 4KiB to 1MiB (default: 256KiB)',
        byteSize(2 ** 20, 4096),
      ),
    )
    .addOption(
      limit('--keepalive-ms <n>', 'a silent one is asked for a sign of life (default: 20000)', milliseconds),
    )
    .addOption(
      limit(
        '--keepalive-timeout-ms <n>',
        'and closed where none comes for so long (default: 20000)',
        milliseconds,
      ),
    )
    .addOption(
      limit(
        '--ephemeral-grace-ms <n>',
        'a job whose client has left is cancelled after this (default: 30000)',
        milliseconds,
      ),
    )
    .addOption(
      limit(
        '--silent-grace-ms <n>',
        'and after this where its client fell silent; at least the former (default: 60000)',
        milliseconds,
      ),
    )
    .addOption(
      limit('--max-wrong-tokens <n>', 'from one address, until it has to wait (default: 10)', wholeNumber(1)),
    )
    .addOption(
      limit('--max-join-tokens <n>', 'tokens to join with that are kept (default: 1000)', wholeNumber(1)),
    )
    .addOption(
      limit(
        '--max-wrong-token-peers <n>',
        'addresses remembered for wrong ones (default: 10000)',
        wholeNumber(1),
      ),
    )
    .addOption(
      limit('--max-token-file-bytes <size>', 'the file of --token-file (default: 64KiB)', byteSize()),
    )
    .addOption(
      limit(
        '--max-revocations <n>',
        'names and numbers that shoal certs revoke may list (default: 10000)',
        wholeNumber(1),
      ),
    )
    .addOption(
      limit(
        '--max-owner-entries <n>',
        'groups, and sessions, whose owners are remembered (default: 100000)',
        wholeNumber(1),
      ),
    )
    .addOption(limit('--max-http-connections <n>', 'to the port of --http (default: 64)', wholeNumber(1)))
    .addOption(
      limit(
        '--http-silent-ms <n>',
        'a connection to the port of --http without a request is closed after this (default: 10000)',
        milliseconds,
      ),
    );
  for (const option of timeOptions()) command.addOption(option);
  return command.action(async (flags: CoordinatorFlags) => {
    const { insecure, tlsDir: _, tokenFile, ...config } = withScheduling(flags);
    const [tlsDir, source] = [tlsDirOf(flags, terminal), await tokenSource(tokenFile, terminal)];
    const [{ checkConfig, startCoordinator }, { serviceLog }, { untilEnded }] = await Promise.all([
      import('@shoal/coordinator'),
      import('../service-log.ts'),
      import('../service.ts'),
    ]);
    const log = await serviceLog(terminal);
    const settings: CoordinatorConfig = {
      ...config,
      ...(tlsDir === undefined ? {} : { tlsDir }),
      ...(source === undefined
        ? {}
        : 'file' in source
          ? { tokenFile: source.file }
          : { tokens: source.text }),
      insecure: insecure === true,
      log,
    };
    checkedAs(FlagNames.of(command), () => checkConfig(settings));
    const start = async () => {
      const coordinator = await startCoordinator(settings);
      terminal.stdout.write(`coordinator listening on ${coordinator.address}\n`);
      const { httpAddress } = coordinator;
      if (httpAddress !== undefined) terminal.stdout.write(`metrics on http://${httpAddress}/metrics\n`);
      return coordinator;
    };
    end(await untilEnded(start(), terminal));
  });
}

const limit = (flags: string, description: string, parse: (text: string) => number): Option =>
  new Option(flags, description).argParser(parse);
