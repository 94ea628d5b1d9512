import { Command } from 'commander';
import { writeOut } from './output.ts';
import type { Terminal } from './terminal.ts';
import { usageError } from './usage-error.ts';
import { agentCommand } from './verbs/agent.ts';
import { agentsCommand } from './verbs/agents.ts';
import { bundleCommand } from './verbs/bundle.ts';
import { certsCommand } from './verbs/certs.ts';
import { coordinatorCommand } from './verbs/coordinator.ts';
import { devCommand } from './verbs/dev.ts';
import { doctorCommand } from './verbs/doctor.ts';
import { mapCommand } from './verbs/map.ts';
import { replayCommand } from './verbs/replay.ts';
import { statusCommand } from './verbs/status.ts';
import { tokenCommand } from './verbs/token.ts';
import { version } from './version.ts';

/** The command with all its verbs. A verb that did not end with code 0 says so through `end`. */
export function buildProgram(terminal: Terminal, end: (exitCode: number) => void): Command {
  const program = new Command('shoal')
    .description('multiprocessing.Pool for TypeScript, from one laptop to a thousand machines.')
    .version(version, '-V, --version', 'print the version')
    .addHelpText('after', helpAfter);
  // The order is the one in which people meet them.
  for (const verb of [
    mapCommand(terminal, end),
    replayCommand(terminal, end),
    devCommand(terminal, end),
    coordinatorCommand(terminal, end),
    agentCommand(terminal, end),
    statusCommand(terminal),
    doctorCommand(terminal, end),
    agentsCommand(terminal),
    bundleCommand(terminal),
    certsCommand(terminal),
    tokenCommand(terminal),
  ]) {
    program.addCommand(verb);
  }
  const versionCommand = new Command('version').action(() => writeOut(terminal, `${version}\n`));
  program.addCommand(versionCommand, { hidden: true });
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .helpOption('-h, --help', 'print this')
      .showSuggestionAfterError(true)
      .configureOutput({
        writeOut: (text) => void terminal.stdout.write(text),
        writeErr: (text) => void terminal.stderr.write(text),
        // Errors are told in one place and in one way: main.ts.
        outputError: () => {},
      });
    if (command === program) command.helpCommand('help [command]', 'print the help of a command');
    else command.helpCommand(false);
    refuseEmptyAndRepeated(command);
  }
  return program;
}

/**
 * Of `--input a --input b` one would be left out without a word; and where a script leaves a value empty, a file without a
 * name would be looked for.
 */
function refuseEmptyAndRepeated(command: Command): void {
  for (const option of command.options.filter(({ required, optional }) => required || optional)) {
    let seen = 0;
    command.on(`option:${option.name()}`, (value: unknown) => {
      if (value === '') throw usageError(`--${option.name()} is empty`, 'Give it a value, or leave it out.');
      if (++seen > 1 && !option.variadic)
        throw usageError(`--${option.name()} is given more than once`, 'Give it once.');
    });
  }
}

function* everyCommand(command: Command): Generator<Command> {
  yield command;
  for (const inner of command.commands) yield* everyCommand(inner);
}

const helpAfter = `
Results go to stdout, everything else to stderr.
Exit codes: 0 done, 1 some items failed or the work could not be done, 2 usage or
input, 3 coordinator out of reach, 4 cancelled or past --deadline, 130 Ctrl-C,
141 the reader of stdout went away.

Try:
  seq 1 10 | shoal map examples/square.ts#square
  shoal dev`;
