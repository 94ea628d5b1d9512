/** What a Node process is told by its arguments and by `NODE_OPTIONS`. */

/**
 * Both as one text in which options can be looked for. In `NODE_OPTIONS` quotes and backslashes may stand anywhere, for
 * Node to leave them out: `"--import=/a folder/x.mjs"`. And it takes `_` in the name of an option for `-`.
 */
export function nodeOptions(
  execArgv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string {
  const ofEnvironment = env['NODE_OPTIONS']?.replaceAll(/["\\]/g, '') ?? [];
  return execArgv.concat(ofEnvironment).join(' ').replaceAll('_', '-');
}
