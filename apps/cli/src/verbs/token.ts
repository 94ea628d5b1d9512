import type { ClusterClient } from '@shoal/client';
import type { Role } from '@shoal/credentials';
import { Command, InvalidArgumentError, Option } from 'commander';
import { addressFromEnvironment, addressOption, defaultAddress } from '../coordinator-address.ts';
import { writeOut } from '../output.ts';
import { type OutputFormat, outputFormatOption } from '../output-format.ts';
import { connectFlags, connectionSecurity, type SecurityFlags } from '../security-flags.ts';
import type { Terminal } from '../terminal.ts';
import { duration } from '../usage-error.ts';

interface AskFlags extends SecurityFlags {
  readonly address?: string;
}

interface ListFlags extends AskFlags {
  readonly outputFormat: OutputFormat;
}

interface CreateFlags extends AskFlags {
  readonly role: Role;
  readonly ttl: number;
  readonly name?: string;
  readonly output?: string;
}

const outputOption = (): Option =>
  new Option('--output <FILE>', 'where to, with mode 0600 (default: stdout)');

/** `shoal token`: tokens to join with, and tokens for everybody who knows them. */
export function tokenCommand(terminal: Terminal): Command {
  const create = new Command('create')
    .summary('make a token with which one machine can join, once')
    .description(
      'Asks the coordinator for a token that one machine exchanges for a certificate of its own, once. Needs an admin.\n' +
        'The coordinator keeps no more of it than a digest, in memory: a restart voids it.',
    )
    .addOption(
      new Option('--role <role>', 'what its bearer becomes')
        .choices(['agent'])
        .argParser(joining)
        .default('agent'),
    )
    .addOption(
      new Option('--ttl <time>', 'how long it can be used: 30s, 15m, 1h, 24h at most')
        .argParser(ttl)
        .default(900_000, '15m'),
    )
    .option('--name <name>', 'the name that its bearer gets (default: an agent chooses its own)')
    .addOption(outputOption())
    .addOption(coordinatorOption());
  for (const flag of connectFlags()) create.addOption(flag);
  create.action(async (flags: CreateFlags) => {
    await using client = await clientOf(flags, terminal);
    const { role, ttl: ttlMs, name = '' } = flags;
    const { id, token } = await client.createJoinToken({ role, ttlMs, name });
    try {
      await deliver(`${token}\n`, flags.output, terminal);
    } catch (error) {
      // Nobody has it, and nobody is to find it: it opens nothing from now on.
      if (id !== '') await takeBack(client, id, terminal);
      throw error;
    }
    // Of an older coordinator it has none.
    if (id !== '') terminal.stderr.write(`shoal: until it is used, shoal token revoke ${id} takes it back\n`);
  });
  const ls = asking('ls', 'list the tokens to join with that can be used').addOption(outputFormatOption());
  ls.action((flags: ListFlags) =>
    withClient(flags, terminal, async (client) => {
      const [tokens, { tokenList }] = await Promise.all([client.joinTokens(), import('../token-text.ts')]);
      return flags.outputFormat === 'json' ? `${JSON.stringify(tokens)}\n` : tokenList(tokens, Date.now());
    }),
  );
  const revoke = asking('revoke', 'take a token to join with back before it is used').argument(
    '<ID>',
    'a token, as shoal token ls names it',
  );
  revoke.action((id: string, flags: AskFlags) => {
    return withClient(flags, terminal, async (client) => {
      const token = await client.revokeJoinToken(id);
      return `token ${id}${token === undefined ? '' : ` (${token.role})`} opens nothing any more\n`;
    });
  });
  const generate = new Command('generate')
    .summary('make a token of 256 bits for a token file')
    .description(
      'Makes a line for the file that shoal coordinator --token-file and all who connect read. It is good until it ' +
        'is taken out of that file; whoever knows it may do what its role may, and without a role everything.',
    )
    .addOption(
      new Option('--role <role>', 'what its bearer may do (default: everything)').choices([
        'client',
        'agent',
        'viewer',
        'admin',
      ]),
    )
    .addOption(outputOption())
    .action(async (flags: { readonly role?: Role; readonly output?: string }) => {
      const { bearerLine, newSecret } = await import('@shoal/credentials');
      await deliver(`${bearerLine({ secret: newSecret(), role: flags.role })}\n`, flags.output, terminal);
    });
  return new Command('token')
    .summary('make tokens, list those to join with and take them back')
    .description(
      'Makes tokens. One that is created lets one machine join, once, and can be listed and taken back until then; one that is ' +
        'generated is a line for a token file, and good for as long as it stands there.',
    )
    .addCommand(create)
    .addCommand(ls)
    .addCommand(revoke)
    .addCommand(generate);
}

const coordinatorOption = (): Option =>
  addressOption('the coordinator (default: SHOAL_ADDRESS, or 127.0.0.1:7300)');

/** A verb that asks the coordinator, as an admin. */
function asking(name: string, summary: string): Command {
  const command = new Command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}. Needs an admin.`)
    .addOption(coordinatorOption());
  for (const flag of connectFlags()) command.addOption(flag);
  return command;
}

async function clientOf(flags: AskFlags, terminal: Terminal): Promise<ClusterClient> {
  const address = flags.address ?? addressFromEnvironment(terminal) ?? defaultAddress;
  const { ClusterClient } = await import('@shoal/client');
  return ClusterClient.open(address, await connectionSecurity(flags, terminal));
}

/** Asks the coordinator and writes what came of it to stdout. */
async function withClient(
  flags: AskFlags,
  terminal: Terminal,
  ask: (client: ClusterClient) => Promise<string>,
): Promise<void> {
  await using client = await clientOf(flags, terminal);
  await writeOut(terminal, await ask(client));
}

/** Takes back a token that could not be handed out; where that fails, too, its ID is all that is left to say. */
async function takeBack(client: ClusterClient, id: string, { stderr }: Terminal): Promise<void> {
  await client.revokeJoinToken(id).catch(() => {
    stderr.write(`shoal: nobody has got the token; shoal token revoke ${id} takes it back\n`);
  });
}

/** People get a certificate whole: no command of theirs exchanges a token for one. */
function joining(role: string): Role {
  if (role === 'agent') return role;
  throw new InvalidArgumentError(
    'Agents join with a token; others get a certificate: shoal certs issue NAME --role ROLE.',
  );
}

function ttl(text: string): number {
  const ms = duration(text);
  if (ms < 1_000 || ms > 86_400_000) throw new InvalidArgumentError('Give 1s to 24h.');
  return ms;
}

async function deliver(text: string, file: string | undefined, terminal: Terminal): Promise<void> {
  if (file === undefined) {
    await writeOut(terminal, text);
    return;
  }
  const { writeSecret } = await import('../secret-file.ts');
  await writeSecret(file, text);
}
