import type { IsolationLevel } from '@shoal/pool';

/** What a process needs to run at all, and nothing that an operator keeps secret. */
const passedOn =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TMP|TEMP|SystemRoot|windir|PATHEXT|ComSpec)$/i;

/** Of these, what belongs to the agent's own user: another one has other folders. */
const ofUser = /^(HOME|USER|LOGNAME|SHELL|TMPDIR|TMP|TEMP)$/i;

/** The part of a job's setup that is about the environment. */
export interface AskedEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** The agent adds nothing. */
  readonly onlyEnv: boolean;
}

/**
 * The whole environment of a child on an agent: a short list of the agent's own variables, unless the job wants none
 * of them, then what the job says.
 *
 * Children of another user, and those in a container, get less of it, or nothing: there are other folders.
 *
 * The agent's own settings (`SHOAL_…`, tokens among them) reach no child. A variable of such a name that a job brings
 * along is the job's own.
 */
export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  { env, onlyEnv }: AskedEnvironment,
  level: IsolationLevel = 'process',
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(onlyEnv || level === 'container' ? {} : own)) {
    const isTheirs = level !== 'user' || !ofUser.test(name);
    if (value !== undefined && passedOn.test(name) && isTheirs) kept[name] = value;
  }
  return { ...kept, ...env };
}
