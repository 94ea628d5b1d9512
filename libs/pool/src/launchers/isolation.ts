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
      /** Memory of the whole container, without any swap. */
      readonly memoryBytes: number;
      /** So many CPUs' worth of time, at most. */
      readonly cpus: number;
    };

/** Options of Node that change how code runs, and neither what it may do, nor which program runs, nor what is written. */
const harmless = new RegExp(
  `^--(no-)?(${[
    '(max|min|initial|semi|stack)-[a-z-]+',
    '(experimental-)?(strip-types|transform-types)',
    'experimental-(vm-modules|wasm-modules|import-meta-resolve|require-module|detect-module)',
    '(trace|throw|pending)-(warnings|deprecation|uncaught)',
    '(enable|use)-(source-maps|system-ca|bundled-ca)',
    'harmony[a-z-]*',
    'warnings|deprecation|(?<=no-)addons|expose-gc|gc-interval|jitless|single-threaded|opt|sparkplug|maglev',
    'abort-on-uncaught-exception|disallow-code-generation-from-strings|force-context-aware',
    'frozen-intrinsics|preserve-symlinks|verify-base-objects|network-family-autoselection|v8-pool-size',
  ].join('|')})$`,
);

/** Those whose value may be an argument of its own. What is imported first has no more rights than the rest. */
const withValue =
  /^(--(conditions|import|require|title|disable-warning|unhandled-rejections|dns-result-order)|-C|-r)$/;

/** Variables that bring native code into a process, or let Node itself write files. */
const opening =
  /^(LD_.*|DYLD_.*|GCONV_PATH|OPENSSL_(CONF|ENGINES|MODULES)|NODE_(V8_COVERAGE|REDIRECT_WARNINGS))$/i;

/**
 * The first argument of Node that a child which is kept apart must not have, out of its own and `NODE_OPTIONS`; undefined
 * where there is none. Only what is known to be harmless passes: options come with every release. An argument that is no
 * option would run instead of Shoal's program.
 */
export function openingOption(
  execArgv: readonly string[],
  env: Readonly<Record<string, string>>,
): string | undefined {
  const ofEnvironment = env['NODE_OPTIONS'] ?? '';
  // Node takes them off, by rules of its own.
  if (/["'\\]/.test(ofEnvironment)) return `NODE_OPTIONS with quotes or backslashes (${ofEnvironment})`;
  const words = ofEnvironment.split(/\s+/).filter((word) => word !== '');
  return notHarmless(execArgv) ?? notHarmless(words);
}

function notHarmless(args: readonly string[]): string | undefined {
  return args.find((argument, at) => {
    // An option without a value that has one makes Node fail; one that begins like an option is never taken for a value.
    if (!argument.startsWith('-')) return !withValue.test(args[at - 1] ?? '');
    const [name = '', ...value] = argument.split('=');
    // Node takes `_` for `-`.
    const option = name.replaceAll('_', '-');
    return !harmless.test(option) && !withValue.test(value.length > 0 || at + 1 < args.length ? option : '');
  });
}

/** The first variable, of those that a job brings along, which must not reach a child that is kept apart. */
export function openingVariable(env: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(env).find((name) => opening.test(name));
}
