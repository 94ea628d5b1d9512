import type { IsolationLevel } from '@shoal/pool';
import { Command, Option } from 'commander';
import { addressFromEnvironment, addressOption } from '../coordinator-address.ts';
import { exitCode, exitCodeOf } from '../exit-code.ts';
import { writeOut } from '../output.ts';
import {
  connectFlags,
  connectionSecurity,
  type SecurityFlags,
  tlsDirOf,
  tokenSource,
} from '../security-flags.ts';
import type { Terminal } from '../terminal.ts';

interface DoctorFlags extends SecurityFlags {
  readonly address?: string;
  readonly isolation?: IsolationLevel;
  readonly isolationImage?: string;
  readonly outputFormat: 'text' | 'json';
}

/** `shoal doctor`: what is well here and what is not, and what to do about it. */
export function doctorCommand(terminal: Terminal, end: (exitCode: number) => void): Command {
  const command = new Command('doctor')
    .summary('look for what is wrong with this machine, its certificates and its cluster')
    .description(
      'Starts a process and runs a task in it, looks at the certificates in the TLS folder and at the token file, and asks the ' +
        'coordinator, where one is named. Exit code 0: nothing is broken; 1: something is; 3: the coordinator cannot be reached.',
    )
    .addOption(addressOption('the coordinator (default: SHOAL_ADDRESS; without one this machine alone)'))
    .addOption(
      new Option(
        '--isolation <level>',
        'the level that agents of this machine are started with: broken where it is not to be had',
      ).choices(['process', 'permission', 'user', 'container']),
    )
    .addOption(
      new Option('--isolation-image <image>', 'the image for the level container (default: shoal:VERSION)'),
    )
    .addOption(
      new Option('--output-format <format>', 'for people or for programs')
        .choices(['text', 'json'])
        .default('text'),
    );
  for (const flag of connectFlags()) command.addOption(flag);
  return command.action(async (flags: DoctorFlags) => {
    const [{ machineFindings }, { findingsText }] = await Promise.all([
      import('../doctor/machine.ts'),
      import('../doctor/finding.ts'),
    ]);
    const nowMs = Date.now();
    const findings = await machineFindings({ level: flags.isolation, image: flags.isolationImage });
    const tlsDir = tlsDirOf(flags, terminal);
    if (tlsDir !== undefined) {
      const { certificateFindings } = await import('../doctor/certificates.ts');
      findings.push(...(await certificateFindings(tlsDir, nowMs)));
    }
    const { tokenFindings } = await import('../doctor/token.ts');
    findings.push(...(await tokenFindings(() => tokenSource(flags.tokenFile, terminal))));
    const address = flags.address ?? addressFromEnvironment(terminal);
    let unreached: unknown;
    if (address !== undefined) {
      const { clusterFindings } = await import('../doctor/cluster.ts');
      const asked = await clusterFindings(address, () => connectionSecurity(flags, terminal), nowMs);
      findings.push(...asked.findings);
      unreached = asked.error;
    }
    await writeOut(
      terminal,
      flags.outputFormat === 'json' ? `${JSON.stringify({ findings })}\n` : findingsText(findings),
    );
    if (unreached !== undefined && exitCodeOf(unreached) === exitCode.unreachable) end(exitCode.unreachable);
    else if (findings.some(({ state }) => state === 'broken')) end(exitCode.failed);
  });
}
