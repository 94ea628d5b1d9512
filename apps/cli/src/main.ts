import { type Command, CommanderError } from 'commander';
import { complain } from './complaint.ts';
import { exitCode, exitCodeOf } from './exit-code.ts';
import { FlagNames, noFlags } from './flag-names.ts';
import { OutputGone, outliveReaders, writeOut } from './output.ts';
import { buildProgram } from './program.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { refuseTypedTokens } from './typed-token.ts';
import { fromCommander } from './usage-error.ts';

/**
 * Runs the command line `argv` (as in `process.argv`) and resolves to its exit code. Never rejects.
 *
 * Results go to stdout and everything else to stderr; nothing is running any more when it resolves.
 */
export async function run(
  argv: readonly string[],
  terminal: Terminal = processTerminal(argv[1] ?? 'shoal'),
): Promise<number> {
  outliveReaders(terminal);
  let ending: number = exitCode.done;
  const program = buildProgram(terminal, (code) => {
    ending = code;
  });
  let running: Command | undefined;
  program.hook('preAction', (_, command) => {
    running = command;
    refuseTypedTokens(command);
  });
  try {
    await program.parseAsync(upToUnknown(program, argv));
    return ending;
  } catch (error) {
    // Help that was asked for is a result; a bare `shoal` gets it as an answer to a question it did not ask.
    if (!(error instanceof CommanderError)) return failed(terminal, error, FlagNames.of(running));
    if (error.exitCode === 0) return writtenOut(terminal);
    if (error.code === 'commander.help') return exitCode.usage;
    complain(terminal, fromCommander(error, commandIn(program, argv)));
    return exitCode.usage;
  }
}

function failed(terminal: Terminal, error: unknown, flags: FlagNames = noFlags): number {
  if (!(error instanceof OutputGone)) complain(terminal, error, flags);
  return exitCodeOf(error);
}

/** How a command ends that has written what it had to say. */
async function writtenOut(terminal: Terminal): Promise<number> {
  try {
    await writeOut(terminal, '');
    return exitCode.done;
  } catch (error) {
    return failed(terminal, error);
  }
}

/** Without what follows a command that does not exist: `shoal nonsense --help` is no question about `shoal`. */
function upToUnknown(program: Command, argv: readonly string[]): string[] {
  let command = program;
  for (let at = 2; at < argv.length && command.commands.length > 0; at++) {
    const name = argv[at] ?? '';
    if (name.startsWith('-') || (command === program && name === 'help')) break;
    const next = inner(command, name);
    if (next === undefined) return argv.slice(0, at + 1);
    command = next;
  }
  return [...argv];
}

/** As much of the command line as names a command: `shoal token create`. */
function commandIn(program: Command, argv: readonly string[]): string {
  const names = [program.name()];
  for (let command: Command | undefined = program; command !== undefined; ) {
    command = inner(command, argv[names.length + 1] ?? '');
    if (command !== undefined) names.push(command.name());
  }
  return names.join(' ');
}

function inner(command: Command, name: string): Command | undefined {
  return command.commands.find((each) => each.name() === name || each.aliases().includes(name));
}
