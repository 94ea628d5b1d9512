import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

/** One place where a file names another module. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  /**
   * `value`: loaded when the file is loaded. `type`: erased (`import type`, `import('x').T`).
   * `lazy`: `import('x')`, loaded when that line runs.
   *
   * `import { type A } from 'x'` is a value import: under verbatimModuleSyntax the module is still loaded.
   */
  readonly kind: 'value' | 'type' | 'lazy';
}

/** Everything that a TypeScript file imports, in the order of its lines. */
export function importsOf(file: string, source: string): Import[] {
  const { module, program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const found: { at: number; specifier: string; kind: Import['kind'] }[] = [];

  for (const { start, end, moduleRequest } of module.staticImports) {
    found.push({ at: start, specifier: moduleRequest.value, kind: erasedOrLoaded(source.slice(start, end)) });
  }
  for (const { start, end, entries } of module.staticExports) {
    const specifier = entries.find((entry) => entry.moduleRequest)?.moduleRequest?.value;
    if (specifier !== undefined) {
      found.push({ at: start, specifier, kind: erasedOrLoaded(source.slice(start, end)) });
    }
  }
  for (const { start, moduleRequest } of module.dynamicImports) {
    const argument = source.slice(moduleRequest.start, moduleRequest.end);
    const literal = /^(['"`])([^'"`$]*)\1$/.exec(argument)?.[2];
    if (literal !== undefined) found.push({ at: start, specifier: literal, kind: 'lazy' });
  }
  for (const node of importTypesIn(program)) {
    found.push({ at: node.start, specifier: node.source.value, kind: 'type' });
  }

  return found
    .sort((a, b) => a.at - b.at)
    .map(({ at, specifier, kind }) => ({ specifier, kind, line: source.slice(0, at).split('\n').length }));
}

/** Every TypeScript file below a folder, sorted, as paths relative to it. */
export function sourceFilesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .filter((name) => !/(^|\/)(node_modules|dist)\//.test(name))
    .sort();
}

export function importsIn(folder: string, file: string): Import[] {
  return importsOf(file, readFileSync(join(folder, file), 'utf8'));
}

function erasedOrLoaded(statement: string): 'type' | 'value' {
  return /^(import|export)\s+type\b/.test(statement) ? 'type' : 'value';
}

interface ImportTypeNode {
  readonly type: 'TSImportType';
  readonly start: number;
  readonly source: { readonly value: string };
}

function* importTypesIn(node: unknown): Generator<ImportTypeNode> {
  if (typeof node !== 'object' || node === null) return;
  if (isImportType(node)) yield node;
  for (const child of Object.values(node)) yield* importTypesIn(child);
}

function isImportType(node: object): node is ImportTypeNode {
  return 'type' in node && node.type === 'TSImportType';
}
