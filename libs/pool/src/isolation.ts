/**
 * How children are kept away from the machine that they run on, and from each other.
 *
 * - `process`: a process like any other, with the rights of whoever started it.
 * - `permission`: Node's permission model. A seat belt: it keeps honest code from accidents, and native code, and modules
 *   of Node that are native inside (`node:sqlite`), go past it.
 * - `user`: a user of its own and no new privileges, shared with children that serve the same work and no others.
 * - `container`: a container of its own, without a network. The only one that is a boundary.
 */
export type IsolationLevel = 'process' | 'permission' | 'user' | 'container';

/** All of them, each stricter than those before it. */
export const isolationLevels: readonly IsolationLevel[] = ['process', 'permission', 'user', 'container'];

/** The stricter of two levels. */
export function stricter(one: IsolationLevel, other: IsolationLevel): IsolationLevel {
  return isolationLevels.indexOf(one) >= isolationLevels.indexOf(other) ? one : other;
}

/** How a child is kept apart, with what that takes. */
export type Isolation =
  | {
      readonly level: 'permission';
      /** Folders whose files it may read; undefined: every file that this process may. */
      readonly readable: readonly string[] | undefined;
    }
  | {
      readonly level: 'user';
      /** Users that nothing else uses: the first and the last one. */
      readonly firstUid: number;
      readonly lastUid: number;
    }
  | {
      readonly level: 'container';
      /** The image that it is started from: Shoal's own, of this very release. */
      readonly image: string;
      /** Folders that it sees, under their own names, and cannot write. */
      readonly readable: readonly string[];
      /** Memory of the whole container. */
      readonly memoryBytes: number | undefined;
    };

/** Options of Node that open what the permission model closes, and files that could hold such options. */
const opening = /^--(allow-|(no-)?(experimental-)?permission|env-file|experimental-(default-)?config-file)/;

/**
 * The first option of Node that a child with permissions must not have, out of its arguments and `NODE_OPTIONS`;
 * undefined where there is none. Node takes `_` for `-`.
 */
export function openingOption(
  execArgv: readonly string[],
  env: Readonly<Record<string, string>>,
): string | undefined {
  const ofEnvironment = (env['NODE_OPTIONS'] ?? '').split(/\s+/).map((word) => word.replaceAll('"', ''));
  return [...execArgv, ...ofEnvironment].find((option) => opening.test(option.replaceAll('_', '-')));
}
