import { Option } from 'commander';

/** Whom a command writes for. */
export type OutputFormat = 'text' | 'json';

/** The option `--output-format` of commands that tell what there is. */
export function outputFormatOption(): Option {
  return new Option('--output-format <format>', 'for people or for programs')
    .choices(['text', 'json'])
    .default('text');
}
