/**
 * Lets task modules be loaded in place as TypeScript projects write them: imports without endings or with that of the
 * compiled file, path aliases, enums and other syntax that stands for code, JSON without an attribute. What Node can
 * load by itself is left to Node, and nothing below node_modules is touched.
 */
import { readFileSync, statSync } from 'node:fs';
import {
  isBuiltin,
  type LoadFnOutput,
  type LoadHookSync,
  type ResolveHookSync,
  registerHooks,
} from 'node:module';
import { dirname, resolve as resolvePath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileTypeScript } from './ts-compiler.ts';
import { TsProject } from './ts-project.ts';

const endings = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.jsx', '.json'] as const;
/** What stands in an import, and what may stand on the disk for it: compilers take the one for the other. */
const sourceEndings: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.jsx?$/, ['.ts', '.tsx']],
  [/\.mjs$/, ['.mts']],
  [/\.cjs$/, ['.cts']],
];
const missingCodes = new Set(['ERR_MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT', 'MODULE_NOT_FOUND']);
const syntaxCodes = new Set(['ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX', 'ERR_INVALID_TYPESCRIPT_SYNTAX']);

/**
 * Syntax that stands for code: enum, namespace, `import a = b`, `export =`, decorators, parameter properties; at the beginning of a
 * line, or behind a statement, a block or a comment that ends there. It may find too much, which costs a compilation, but not
 * too little. Node's own judgement comes too late, and asking for it beforehand costs each child 20 MiB and a warning.
 */
const notErasable =
  /(?:^|[;{}]|\*\/)\s*(?:(?:export\s+)?(?:declare\s+)?(?:const\s+)?(?:enum|namespace|module)\s+[\w$]|(?:export\s+)?import\s+[\w$]+\s*=|export\s*=)|(?:^|[;}]|\{\s|\*\/)\s*@[\w$(]|\bconstructor\s*\([^;]*?\b(?:public|private|protected|readonly|override)\s/m;
/** Names are imported, which might be types. (Types that are exported again need the word: one file does not tell.) */
const namesImported = /^\s*import\s+(?!type\b)[^'"();]*\{[^}]*\}\s*from/m;
const isModule = /^\s*(?:import\s+[\w${*'"]|import\s*\{|export\s+[\w${*=]|export\s*\{)|\bimport\.meta\b/m;

/** From now on, in this process. May be called again. */
export function installModuleHooks(): void {
  if (isInstalled) return;
  isInstalled = true;
  registerHooks({ resolve, load });
}
let isInstalled = false;

/** What URLs of modules mean that are linked already (module-link.ts): that they still do was seen before this copy was made. */
export const linkedUrls: Map<string, string> = new Map();

/** A file of the user's own. */
function isOwn(url: string | undefined): url is string {
  return url?.startsWith('file:') === true && !url.includes('/node_modules/');
}

const resolve: ResolveHookSync = (specifier, context, next) => {
  const { parentURL } = context;
  const linked = linkedUrls.get(specifier);
  if (linked !== undefined) return { url: linked, format: 'module', shortCircuit: true };
  // Of shoal, task modules need a part that loads in a tenth of the time: package.json names it under this condition.
  if (specifier === 'shoal') {
    return next(specifier, { ...context, conditions: [...context.conditions, '@shoal/child'] });
  }
  if (!isOwn(parentURL) || isBuiltin(specifier)) return next(specifier, context);
  const parent = fileURLToPath(parentURL.replace(/[?#].*$/, ''));
  const isRelative = /^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..';
  if (!isRelative && !specifier.startsWith('file:')) {
    // Aliases come before packages of the same name, as with tsc.
    const isTypeScript = /\.[mc]?tsx?$/.test(parent);
    const aliased = isTypeScript ? (TsProject.of(parent)?.candidates(specifier) ?? []) : [];
    for (const candidate of aliased) {
      const file = fileAt(candidate);
      if (file !== undefined) return found(file);
    }
    return next(specifier, context);
  }
  try {
    return next(specifier, context);
  } catch (error) {
    if (!missingCodes.has(String((error as NodeJS.ErrnoException).code))) throw error;
    const path = specifier.startsWith('file:')
      ? fileURLToPath(specifier)
      : resolvePath(dirname(parent), specifier);
    const file = fileAt(path);
    if (file === undefined) throw error;
    return found(file);
  }
};

const found = (file: string): { url: string; shortCircuit: true } => ({
  url: pathToFileURL(file).href,
  shortCircuit: true,
});

/** The file that an import without, or with another, ending means. */
function fileAt(path: string): string | undefined {
  const candidates = [path, ...endings.map((ending) => path + ending)];
  for (const [written, sources] of sourceEndings) {
    if (written.test(path)) candidates.push(...sources.map((ending) => path.replace(written, ending)));
  }
  candidates.push(...endings.map((ending) => resolvePath(path, `index${ending}`)));
  return candidates.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true);
}

const load: LoadHookSync = (url, context, next) => {
  if (!isOwn(url)) return next(url, context);
  const { pathname } = new URL(url);
  const read = (): string => readFileSync(new URL(url), 'utf8');
  if (pathname.endsWith('.json') && context.conditions.includes('import')) {
    if (context.importAttributes['type'] !== undefined) return next(url, context);
    return { format: 'module', source: `export default ${read()}`, shortCircuit: true };
  }
  if (/\.[tj]sx$/.test(pathname)) return compiled(url, read());
  const isTypeScript = /\.[mc]?ts$/.test(pathname);
  let loaded: LoadFnOutput;
  try {
    loaded = next(url, context);
  } catch (error) {
    if (isTypeScript && isSyntaxError(error)) return compiled(url, read(), error);
    throw error;
  }
  const source = textOf(loaded.source);
  if (isTypeScript && needsCompiler(pathname, source)) return compiled(url, source);
  // Compiled by the user: his own lines are in the map. Without one nobody pays for looking.
  if (source.includes('sourceMappingURL=')) process.setSourceMapsEnabled(true);
  return loaded;
};

function needsCompiler(pathname: string, source: string): boolean {
  if (notErasable.test(source)) return true;
  return namesImported.test(source) && TsProject.of(decodeURI(pathname))?.elidesImports === true;
}

/** `error` is what Node says about it, for where there is no esbuild. */
function compiled(url: string, source: string, error?: unknown): LoadFnOutput {
  const project = TsProject.of(fileURLToPath(url));
  const code = compileTypeScript(url, source, project, error);
  process.setSourceMapsEnabled(true);
  // The compiler begins a line with each statement; what it leaves out is told by the source.
  const isCommonJs = /\.cts$/.test(new URL(url).pathname) || !(isModule.test(source) || isModule.test(code));
  return { format: isCommonJs ? 'commonjs' : 'module', source: code, shortCircuit: true };
}

function isSyntaxError(error: unknown): boolean {
  return syntaxCodes.has(String((error as NodeJS.ErrnoException).code));
}

function textOf(source: LoadFnOutput['source']): string {
  if (typeof source === 'string') return source;
  return ArrayBuffer.isView(source)
    ? Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString()
    : '';
}
