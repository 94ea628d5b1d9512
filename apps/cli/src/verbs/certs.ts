import { Command, Option } from 'commander';
import { writeOut } from '../output.ts';
import { type OutputFormat, outputFormatOption } from '../output-format.ts';
import { defaultTlsDir, tlsDirOf, tlsDirOption } from '../security-flags.ts';
import type { Terminal } from '../terminal.ts';
import { wholeNumber } from '../usage-error.ts';

const roles = ['client', 'agent', 'viewer', 'admin'] as const;

interface RevokeFlags {
  readonly tlsDir?: string;
  readonly role?: (typeof roles)[number];
  readonly maxRevocations: number;
}

/** `shoal certs`: the authority of a cluster, and the certificates that it signs. */
export function certsCommand(terminal: Terminal): Command {
  const init = new Command('init')
    .summary('make an authority, and the certificate of its coordinator')
    .description(
      'Makes what a cluster on several machines needs, in a folder of this machine: an authority, a certificate for the ' +
        'coordinator (a year), and one for you as its admin. Run it again before the year is over, or for another ' +
        'name: the authority stays, the certificates are new, and a running coordinator takes them up by itself.',
    )
    .addOption(tlsDirOption(`where to; ${defaultTlsDir} where nothing says`))
    .addOption(
      new Option(
        '--name <HOST...>',
        'more names and addresses of the coordinator (the names and addresses of this machine are known)',
      ),
    )
    .action(async (flags: { readonly tlsDir?: string; readonly name?: string[] }) => {
      const { initCerts } = await import('../certs/init.ts');
      const tlsDir = tlsDirOf(flags, terminal) ?? defaultTlsDir;
      await writeOut(terminal, await initCerts({ tlsDir, hosts: flags.name ?? [] }));
    });
  const issue = new Command('issue')
    .summary('make a certificate for somebody who calls the coordinator')
    .description(
      'Makes a certificate (a year) for NAME, with the authority in the TLS folder, in a folder of its own: ' +
        'copy that to the machine of NAME, whole, and name it there with --tls-dir.',
    )
    .argument('<NAME>', 'who it is for; for an agent, the name of that agent')
    .addOption(new Option('--role <role>', 'what its holder may do').choices(roles).default('client'))
    .addOption(tlsDirOption(`where the authority is; ${defaultTlsDir} where nothing says`))
    .addOption(new Option('--output <DIR>', 'where to (default: issued/NAME in the TLS folder)'))
    .action(
      async (
        name: string,
        flags: { readonly tlsDir?: string; readonly role: (typeof roles)[number]; readonly output?: string },
      ) => {
        const { issueCert } = await import('../certs/issue.ts');
        const tlsDir = tlsDirOf(flags, terminal) ?? defaultTlsDir;
        await writeOut(terminal, await issueCert({ tlsDir, name, role: flags.role, output: flags.output }));
      },
    );
  const ls = new Command('ls')
    .summary('list certificates, and which of them were taken back')
    .description(
      'Lists the certificates in the TLS folder and those that shoal certs issue made in it: whose they are, the serial number ' +
        'that shoal certs revoke takes, until when they are good, and whether they were revoked. One that was issued to another ' +
        'place with --output is not here, and an agent that joined with a token keeps its own (shoal agents ls).',
    )
    .addOption(tlsDirOption(`the folder of the coordinator; ${defaultTlsDir} where nothing says`))
    .addOption(outputFormatOption())
    .action(async (flags: { readonly tlsDir?: string; readonly outputFormat: OutputFormat }) => {
      const { certList, listCerts } = await import('../certs/list.ts');
      const certs = await listCerts(tlsDirOf(flags, terminal) ?? defaultTlsDir);
      const text = flags.outputFormat === 'json' ? `${JSON.stringify(certs)}\n` : certList(certs, Date.now());
      await writeOut(terminal, text);
    });
  const revoke = new Command('revoke')
    .summary('take certificates back before they expire')
    .description(
      'Puts all certificates that NAME has got so far, or the one with a serial number, on the list of those that are good ' +
        'no more (revoked.txt in the TLS folder). The coordinator that runs with this folder reads it within seconds: it ' +
        'turns them away and ends what they have open. NAME can have a new one afterwards.',
    )
    .argument('<NAME|SERIAL>', 'a name, or a number as openssl x509 -serial shows it')
    .addOption(new Option('--role <role>', 'of that name, those of this role alone').choices(roles))
    .addOption(tlsDirOption(`the folder of the coordinator; ${defaultTlsDir} where nothing says`))
    .addOption(
      new Option('--max-revocations <n>', 'entries of that list, as its coordinator takes them')
        .argParser(wholeNumber(1))
        .default(10_000),
    )
    .action(async (what: string, flags: RevokeFlags) => {
      const { revokeCert } = await import('../certs/revoke.ts');
      const tlsDir = tlsDirOf(flags, terminal) ?? defaultTlsDir;
      const { role, maxRevocations } = flags;
      await writeOut(terminal, await revokeCert({ tlsDir, what, role, nowMs: Date.now(), maxRevocations }));
    });
  return new Command('certs')
    .summary('make certificates for a cluster, list them and take them back')
    .description(
      'Makes certificates for a cluster on several machines, lists them and takes them back. It works on the files in the TLS ' +
        'folder, on the machine where they are; no coordinator has to run.',
    )
    .addCommand(init)
    .addCommand(issue)
    .addCommand(ls)
    .addCommand(revoke);
}
