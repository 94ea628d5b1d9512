/** What labels may be, for everybody who takes some: pools, the command line, agents and the coordinator. */

/** Labels of a job or an agent, at most, where nobody says another number. */
export const labelEntriesMax = 64;

/** Characters of the name of a label, and of its value, at most. */
export const labelCharsMax = 100;

/**
 * A name that means the same wherever it goes: as a flag, in a line of a table, in a log, as a key of an object.
 *
 * Not `__proto__`: where a message is read into an object, that label would vanish, and its job would run anywhere.
 */
const labelName = /^[A-Za-z0-9][\w./-]*$/;

/** What is wrong with a label, beginning with its name: `gpu is empty`. Undefined where nothing is. */
export function labelFault(name: string, value: string): string | undefined {
  const shown = labelName.test(name)
    ? name.slice(0, labelCharsMax)
    : JSON.stringify(name.slice(0, labelCharsMax));
  if (name.length > labelCharsMax || value.length > labelCharsMax) {
    return `${shown} is longer than ${labelCharsMax} characters`;
  }
  if (!labelName.test(name)) {
    return `${shown} is no name of a label: it may have letters, digits, ".", "_", "-" and "/", and starts with a letter or a digit`;
  }
  if (value === '') return `${shown} is empty`;
  return /\p{Cc}/u.test(value) ? `${shown} has a control character` : undefined;
}
