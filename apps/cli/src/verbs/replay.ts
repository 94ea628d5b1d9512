import { Command, Option } from 'commander';
import type { Terminal } from '../terminal.ts';
import { duration } from '../usage-error.ts';

/** `shoal replay`: an item that `shoal map --save-poison` has saved, once more and alone. */
export function replayCommand(terminal: Terminal, end: (exitCode: number) => void): Command {
  return new Command('replay')
    .summary('run an item that killed its process once more, alone')
    .description(
      'Runs the one item that shoal map --save-poison has saved in FILE, once, in a fresh process of this machine, ' +
        'with the function as its module has it now.\n\n' +
        'The result goes to stdout; what the function prints, and how it failed if it did, to stderr.\n' +
        'Exit codes: 0 it gave a result, 1 it failed again, 2 FILE or the module cannot be used.\n' +
        'FILE names a module, and replaying runs it: replay only files that you trust.',
    )
    .argument('<FILE>', 'a file that shoal map --save-poison has written')
    .addOption(
      new Option(
        '--timeout <time>',
        'how long it may run: 500ms, 30s, 5m (default: the limit it had)',
      ).argParser(duration),
    )
    .action(async (file: string, flags: { readonly timeout?: number }) => {
      const { replay } = await import('../poison/replay.ts');
      end(await replay({ file, ...flags }, terminal));
    });
}
