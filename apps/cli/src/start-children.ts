import { Option } from 'commander';

/** How an agent starts children of jobs that do not say. */
export type StartChildren = 'auto' | 'spawn' | 'fork';

/** The option `--start-children` of commands that start agents. */
export function startChildrenOption(): Option {
  return new Option(
    '--start-children <way>',
    'of jobs that do not say: fork: copies of one process; auto: what is measured to be better; spawn: never fork, ' +
      'whatever a job asks for (default: a process each, unless the job asks for more)',
  ).choices(['auto', 'spawn', 'fork']);
}
