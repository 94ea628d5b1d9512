/** The tsconfig.json that governs a file: path aliases, and what its compiler was told about imports. */
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

type Options = Readonly<Record<string, unknown>>;

/** `prefix*suffix` and the paths that may stand for it, absolute, with the same `*`. */
interface PathAlias {
  readonly prefix: string;
  readonly suffix: string;
  readonly isExact: boolean;
  readonly targets: readonly string[];
}

const extendsDepthMax = 16;
const projects = new Map<string, TsProject | undefined>();

export class TsProject {
  /** What the whole chain of `extends` says. */
  readonly options: Options;
  readonly #aliases: readonly PathAlias[];
  readonly #baseUrl: string | undefined;

  constructor(options: Options, aliases: readonly PathAlias[], baseUrl: string | undefined) {
    this.options = options;
    // The longest prefix wins, as with tsc.
    this.#aliases = aliases.toSorted(
      (a, b) => Number(b.isExact) - Number(a.isExact) || b.prefix.length - a.prefix.length,
    );
    this.#baseUrl = baseUrl;
  }

  /** The project of the nearest tsconfig.json at or above the file's folder; undefined where there is none. */
  static of(file: string): TsProject | undefined {
    return projectOf(dirname(file));
  }

  /** Imports that only name types may lack the word `type`: it is the compiler that leaves them out. */
  get elidesImports(): boolean {
    return this.options['verbatimModuleSyntax'] !== true && this.options['erasableSyntaxOnly'] !== true;
  }

  /** Where a bare specifier may lie, by its aliases; without endings. */
  candidates(specifier: string): string[] {
    const alias = this.#aliases.find(({ prefix, suffix, isExact }) =>
      isExact ? specifier === prefix : specifier.startsWith(prefix) && specifier.endsWith(suffix),
    );
    const star =
      alias === undefined ? '' : specifier.slice(alias.prefix.length, specifier.length - alias.suffix.length);
    const found = alias?.targets.map((target) => target.replace('*', () => star)) ?? [];
    return this.#baseUrl === undefined ? found : [...found, join(this.#baseUrl, specifier)];
  }
}

function projectOf(folder: string): TsProject | undefined {
  if (projects.has(folder)) return projects.get(folder);
  const file = join(folder, 'tsconfig.json');
  const above = dirname(folder);
  let project: TsProject | undefined;
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) project = read(file);
  else if (above !== folder) project = projectOf(above);
  projects.set(folder, project);
  return project;
}

function read(file: string): TsProject {
  let options: Options = {};
  let aliases: readonly PathAlias[] = [];
  let baseUrl: string | undefined;
  // What a file says itself comes after, and over, what it extends.
  const visit = (path: string, depth: number): void => {
    const config = parse(path);
    if (config === undefined || depth > extendsDepthMax) return;
    const parents = typeof config['extends'] === 'string' ? [config['extends']] : config['extends'];
    for (const parent of Array.isArray(parents) ? parents : []) {
      const found = extended(path, String(parent));
      if (found !== undefined) visit(found, depth + 1);
    }
    const own = (config['compilerOptions'] ?? {}) as Options;
    options = { ...options, ...own };
    const folder = dirname(path);
    if (typeof own['baseUrl'] === 'string') baseUrl = resolve(folder, own['baseUrl']);
    if (typeof own['paths'] === 'object' && own['paths'] !== null) {
      aliases = aliasesOf(own['paths'] as Options, baseUrl ?? folder);
    }
  };
  visit(file, 0);
  return new TsProject(options, aliases, baseUrl);
}

function aliasesOf(paths: Options, base: string): PathAlias[] {
  return Object.entries(paths).map(([pattern, targets]) => {
    const star = pattern.indexOf('*');
    return {
      isExact: star === -1,
      prefix: star === -1 ? pattern : pattern.slice(0, star),
      suffix: star === -1 ? '' : pattern.slice(star + 1),
      targets: (Array.isArray(targets) ? targets : []).map((target) => resolve(base, String(target))),
    };
  });
}

function extended(from: string, parent: string): string | undefined {
  const isPath = parent.startsWith('.') || parent.startsWith('/');
  const candidates = parent.endsWith('.json')
    ? [parent]
    : [`${parent}.json`, parent, `${parent}/tsconfig.json`];
  for (const candidate of candidates) {
    try {
      const path = isPath ? resolve(dirname(from), candidate) : createRequire(from).resolve(candidate);
      if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

/** A file that cannot be read or parsed says nothing: tsc and editors complain about it, tasks need not. */
function parse(file: string): Options | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    // Strings are kept; comments go, and commas before a closing bracket.
    const bare = text.replace(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (_, kept: string | undefined) => kept ?? '',
    );
    const strict = bare.replace(
      /("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g,
      (_, kept: string | undefined) => kept ?? '',
    );
    return JSON.parse(strict.replace(/^\uFEFF/, '')) as Options;
  } catch {
    return undefined;
  }
}
