/**
 * A secret that every process of the tests on whole systems has in its environment, and that is among their items. It is
 * searched for in all that these processes and containers ever say: whatever shows it would show a user's as well.
 */
export const canary: string = 'songbird4QvT8mLxZc2KpNwRj7HsYb3UdGe6AfXi1Wo5Bk9';

/** What is added to the environment of a process. */
export const canaryEnvironment: Readonly<Record<string, string>> = { TEST_SUITE_SECRET: canary };

/** Throws where a secret is in a text: `by` is who said it. */
export function expectNoSecret(by: string, text: string, secrets: readonly string[] = [canary]): void {
  for (const secret of secrets) {
    const at = text.indexOf(secret);
    if (at === -1) continue;
    const line = text.slice(0, at).split('\n').length;
    throw new Error(`${by} shows a secret in line ${line} of what it said.`);
  }
}
