import { CommanderError } from 'commander';
import { complain } from './complaint.ts';
import { exitCode, exitCodeOf } from './exit-code.ts';
import { buildProgram } from './program.ts';
import { processTerminal, type Terminal } from './terminal.ts';
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
  let ending: number = exitCode.done;
  const program = buildProgram(terminal, (code) => {
    ending = code;
  });
  try {
    await program.parseAsync([...argv]);
    return ending;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      complain(terminal, error);
      return exitCodeOf(error);
    }
    // Help that was asked for is a result; a bare `shoal` gets it as an answer to a question it did not ask.
    if (error.exitCode === 0) return exitCode.done;
    if (error.code === 'commander.help') return exitCode.usage;
    complain(terminal, fromCommander(error));
    return exitCode.usage;
  }
}
