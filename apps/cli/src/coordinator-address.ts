import { InvalidArgumentError, Option } from 'commander';
import type { Terminal } from './terminal.ts';
import { withoutTokens } from './token-shape.ts';
import { address, usageError } from './usage-error.ts';

/** Where a coordinator is looked for by the commands that need one. */
export const defaultAddress = '127.0.0.1:7300';

/** The option `--address`. What it leaves out, {@link addressFromEnvironment} may say. */
export function addressOption(description: string): Option {
  return new Option('--address <HOST:PORT>', description).argParser(address);
}

/** The address in SHOAL_ADDRESS; undefined where that is not set, or empty, as a compose file leaves it. */
export function addressFromEnvironment(terminal: Terminal): string | undefined {
  const text = terminal.env['SHOAL_ADDRESS'] ?? '';
  if (text === '') return undefined;
  try {
    return address(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw usageError(`SHOAL_ADDRESS=${withoutTokens(text)} is no address`, error.message);
  }
}
