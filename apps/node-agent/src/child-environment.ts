/** What a process needs to run at all, and nothing that an operator keeps secret. */
const passedOn =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TMP|TEMP|SystemRoot|windir|PATHEXT|ComSpec)$/i;

/**
 * The whole environment of a child on an agent: a short list of the agent's own variables, then what the job says.
 *
 * The agent's own settings (`SHOAL_…`, tokens among them) reach no child, whoever asks for them.
 */
export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  asked: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && passedOn.test(name)) kept[name] = value;
  }
  for (const [name, value] of Object.entries(asked)) {
    if (!/^SHOAL_/i.test(name)) kept[name] = value;
  }
  return kept;
}
