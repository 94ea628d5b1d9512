import { Command } from 'commander';
import { withConnectingNotice } from '../connecting-notice.ts';
import { addressFromEnvironment, addressOption, defaultAddress } from '../coordinator-address.ts';
import { writeOut } from '../output.ts';
import { connectFlags, connectionSecurity, type SecurityFlags } from '../security-flags.ts';
import type { Terminal } from '../terminal.ts';
import { usageError } from '../usage-error.ts';

/** `shoal bundle push`: a task module under a name, for clients that cannot bundle one (Python, Go, …). */
export function bundleCommand(terminal: Terminal): Command {
  const push = new Command('push')
    .summary('give a task module a name that any client can use')
    .description(
      'Bundles FILE, sends it to the coordinator and names it. A client then asks for "NAME#EXPORT".\n' +
        'A version never changes: other content needs another version.',
    )
    .argument('<NAME@VERSION>', 'such as imaging@3')
    .argument('<FILE>', 'a task module, TypeScript or JavaScript')
    .addOption(addressOption('the coordinator (default: SHOAL_ADDRESS, or 127.0.0.1:7300)'));
  for (const flag of connectFlags()) push.addOption(flag);
  push.action(async (label: string, file: string, flags: SecurityFlags & { readonly address?: string }) => {
    const address = flags.address ?? addressFromEnvironment(terminal) ?? defaultAddress;
    const { name, version } = parseBundleLabel(label);
    const { ClusterClient } = await import('@shoal/client');
    const { parseTaskSpec } = await import('../map/task-spec.ts');
    const { url } = parseTaskSpec(file);
    await using client = await withConnectingNotice(
      address,
      ClusterClient.open(address, await connectionSecurity(flags, terminal)),
      (text) => void terminal.stderr.write(`${text}\n`),
    );
    const bundle = await client.pushBundle({ name, version, module: url.href });
    await writeOut(terminal, `${name}@${version} ${bundle.sha256}\n`);
  });
  return new Command('bundle')
    .summary('name task modules for clients in other languages')
    .description('Gives task modules names, by which clients in other languages ask for their functions.')
    .addCommand(push);
}

/** Reads `imaging@3`. */
function parseBundleLabel(label: string): { readonly name: string; readonly version: number } {
  const [, name, digits] = /^([A-Za-z][\w.-]{0,99})@(\d{1,9})$/.exec(label) ?? [];
  const version = Number(digits);
  if (name === undefined || !(version >= 1)) {
    throw usageError(
      `${label} is no NAME@VERSION`,
      'A name is letters, digits, ".", "_" and "-", a letter first; a version is a number from 1 on: imaging@3.',
    );
  }
  return { name, version };
}
