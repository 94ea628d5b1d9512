// Who may import whom. Run by `npm run lint`; tried on a bad tree in test/architecture.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Import, importsIn, sourceFilesBelow } from './imports.ts';

/** The scopes (nx tags of the packages) that a scope may depend on. What is not listed is forbidden. */
const mayDependOn: Readonly<Record<string, readonly string[]>> = {
  'scope:errors': [],
  'scope:credentials': ['scope:errors', 'scope:folders'],
  'scope:folders': [],
  'scope:fork-server': [],
  'scope:scheduler': [],
  'scope:protocol': ['scope:errors'],
  'scope:pool': ['scope:errors', 'scope:folders', 'scope:fork-server', 'scope:scheduler'],
  'scope:client': ['scope:errors', 'scope:folders', 'scope:pool', 'scope:protocol'],
  'scope:coordinator': [
    'scope:credentials',
    'scope:errors',
    'scope:folders',
    'scope:protocol',
    'scope:scheduler',
  ],
  'scope:node-agent': ['scope:credentials', 'scope:errors', 'scope:folders', 'scope:pool', 'scope:protocol'],
  'scope:cli': [
    'scope:client',
    'scope:coordinator',
    'scope:credentials',
    'scope:errors',
    'scope:folders',
    'scope:node-agent',
    'scope:pool',
    'scope:protocol',
    'scope:scheduler',
  ],
  'scope:shoal': ['scope:cli', 'scope:client', 'scope:errors', 'scope:pool'],
};

/** What only some files of a package may import. */
const reserved = [
  {
    package: '@shoal/pool',
    module: /^(node:)?child_process$/,
    onlyIn: /^src\/launchers\//,
    why: 'processes are started by src/launchers alone',
  },
  {
    package: '@shoal/scheduler',
    module: /^[^.]/,
    onlyIn: /^$/,
    why: 'the scheduler is pure and stands alone',
  },
  {
    package: '@shoal/node-agent',
    module: /^[^.]/,
    onlyIn: /^src\/(?!core\/)/,
    why: 'the core is pure and stands alone',
  },
  {
    package: '@shoal/client',
    module: /^[^.]/,
    onlyIn: /^src\/(?!core\/)/,
    why: 'the core is pure and stands alone',
  },
  {
    package: '@shoal/coordinator',
    module: /^(?!@shoal\/scheduler$)[^.]/,
    onlyIn: /^src\/(?!core\/)/,
    why: 'the core is pure: it stands on the scheduler alone',
  },
];

/** Files whose load must stay light: everything they load, however far away, is checked. */
const light = [
  {
    package: '@shoal/pool',
    entry: 'src/child-main.ts',
    forbidden: (specifier: string) => !specifier.startsWith('node:'),
    // One lazy exception goes through createRequire: esbuild, for TypeScript that Node cannot strip (src/child/ts-compiler.ts).
    why: 'a child process loads node: builtins and nothing else',
  },
  {
    package: '@shoal/pool',
    entry: 'src/fork-main.ts',
    forbidden: (specifier: string) => !specifier.startsWith('node:'),
    why: 'a fork server is what its children are: it loads node: builtins and nothing else',
  },
  {
    package: 'shoal',
    entry: 'src/index.ts',
    forbidden: (specifier: string) =>
      /^(@grpc\/|esbuild$|@bufbuild\/|@shoal\/(client|protocol|cli)$)/.test(specifier),
    why: "import 'shoal' is light: load this inside connect(), with import()",
  },
  {
    package: 'shoal',
    entry: 'src/child.ts',
    forbidden: (specifier: string) => !/^(?:node:|@shoal\/errors$|@shoal\/pool\/task$)/.test(specifier),
    why: 'task modules load this in every child: it needs neither the pool nor the scheduler',
  },
];

/** What tests of all packages share lies in test/ itself, seen from a package. */
const sharedByTests = /^\.\.\/\.\.\/test\/[^/]+\.ts$/;

interface Package {
  readonly name: string;
  readonly folder: string;
  readonly scope: string;
  readonly dependencies: readonly string[];
}

/** Every import and dependency below `root` that the rules forbid, one sentence each; empty for a clean tree. */
export function violationsIn(root: string): string[] {
  const packages = packagesIn(root);
  return [
    ...packages.flatMap((each) => forbiddenDependencies(each, packages)),
    ...packages.flatMap((each) => forbiddenImports(root, each, packages)),
    ...heavyLoads(root, packages),
  ];
}

function packagesIn(root: string): Package[] {
  return ['libs', 'apps']
    .filter((group) => existsSync(join(root, group)))
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const tags: string[] = manifest.nx?.tags ?? [];
      return {
        name: manifest.name,
        folder,
        scope: tags.find((tag) => tag.startsWith('scope:')) ?? 'scope:unknown',
        dependencies: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }),
      };
    });
}

function forbiddenDependencies(of: Package, packages: readonly Package[]): string[] {
  return of.dependencies
    .map((name) => packages.find((each) => each.name === name))
    .filter((target) => target !== undefined)
    .filter((target) => !allows(of, target))
    .map((target) => `${of.name} depends on ${target.name} in its package.json: ${allowList(of)}`);
}

function forbiddenImports(root: string, of: Package, packages: readonly Package[]): string[] {
  return sourceFilesBelow(of.folder).flatMap((file) =>
    importsIn(of.folder, file).flatMap((found) => {
      const why = objection(of, file, found, packages);
      return why === undefined ? [] : [`${place(root, of, file, found)} imports ${found.specifier}: ${why}`];
    }),
  );
}

function objection(
  of: Package,
  file: string,
  found: Import,
  packages: readonly Package[],
): string | undefined {
  const { specifier } = found;
  const isTest = /\.(test|testkit)\.ts$|\/fixtures\//.test(file);
  if (specifier.startsWith('.')) {
    const target = join(dirname(file), specifier);
    if (isTest && sharedByTests.test(target)) return undefined;
    return target.startsWith('..')
      ? 'a relative import stays within its package; import the other one by name'
      : undefined;
  }
  const target = packages.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  if (target !== undefined) {
    if (target.name === of.name) return 'imports within a package are relative';
    if (!allows(of, target)) return allowList(of);
    // The pure cores have an index of their own: whoever simulates them needs no driver. So has what task modules load.
    if (![target.name, `${target.name}/core`, `${target.name}/task`].includes(specifier))
      return 'a package is imported from its index only';
  }
  if (isTest) return undefined;
  return reserved.find(
    (rule) => rule.package === of.name && rule.module.test(specifier) && !rule.onlyIn.test(file),
  )?.why;
}

/** Follows value imports from each light entry, across packages, and reports every forbidden module on the way. */
function heavyLoads(root: string, packages: readonly Package[]): string[] {
  return light.flatMap(({ package: name, entry, forbidden, why }) => {
    const home = packages.find((each) => each.name === name);
    if (home === undefined || !existsSync(join(home.folder, entry))) return [];
    const seen = new Set<string>();
    const violations: string[] = [];
    const visit = (of: Package, file: string): void => {
      if (seen.has(join(of.folder, file))) return;
      seen.add(join(of.folder, file));
      for (const found of importsIn(of.folder, file).filter(({ kind }) => kind === 'value')) {
        const target = packages.find((each) => each.name === found.specifier);
        if (found.specifier.startsWith('.')) visitIfSource(of, join(dirname(file), found.specifier));
        else if (forbidden(found.specifier)) {
          violations.push(
            `${place(root, of, file, found)} loads ${found.specifier}: ${why} (from ${name} ${entry})`,
          );
        } else if (target !== undefined) visitIfSource(target, 'src/index.ts');
      }
    };
    const visitIfSource = (of: Package, file: string): void => {
      if (file.endsWith('.ts') && existsSync(join(of.folder, file))) visit(of, file);
    };
    visit(home, entry);
    return violations;
  });
}

function allows(of: Package, target: Package): boolean {
  return mayDependOn[of.scope]?.includes(target.scope) ?? false;
}

function allowList(of: Package): string {
  const allowed = mayDependOn[of.scope];
  if (allowed === undefined) return `${of.scope} has no rule in tools/boundaries.ts`;
  return allowed.length === 0
    ? `${of.scope} depends on no package`
    : `${of.scope} may use ${allowed.join(', ')}`;
}

function place(root: string, of: Package, file: string, { line }: Import): string {
  return `${relative(root, join(of.folder, file))}:${line}`;
}

if (import.meta.main) {
  const violations = violationsIn(fileURLToPath(new URL('..', import.meta.url)));
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exitCode = 1;
  else console.log('Imports follow the boundaries.');
}
