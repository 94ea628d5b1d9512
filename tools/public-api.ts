// What `import … from 'shoal'` gives: every exported name with its declaration and docstring, read from the sources.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Comment, parseSync } from 'oxc-parser';

/** A member of an interface or class. Overloads are one member with several signatures. */
export interface ApiMember {
  readonly name: string;
  readonly signatures: string[];
  /** Its docstring; empty where it has none. */
  doc: string;
}

/** One exported name. */
export interface ApiEntry {
  readonly name: string;
  readonly kind: 'class' | 'interface' | 'type' | 'function' | 'const';
  readonly doc: string;
  /** Its declaration in a line or a few, without the members. */
  readonly signature: string;
  readonly members: readonly ApiMember[];
}

/** The parts of a syntax tree that we look at. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

interface Source {
  readonly text: string;
  readonly body: readonly Node[];
  readonly comments: readonly Comment[];
}

const root = fileURLToPath(new URL('../', import.meta.url));
const sources = new Map<string, Source>();

function sourceOf(path: string): Source {
  const known = sources.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(path, 'utf8');
  const { program, comments, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const source = { text, body: program.body as unknown as readonly Node[], comments };
  sources.set(path, source);
  return source;
}

/** Everything that the package `shoal` exports, by name. */
export function publicApi(): ReadonlyMap<string, ApiEntry> {
  const found = new Map<string, ApiEntry>();
  for (const [name, path] of exportsOf(join(root, 'libs/shoal/src/index.ts'))) {
    found.set(name, entryOf(name, path));
  }
  return found;
}

/** A declaration of a module that is not exported by the package, but that one which is extends. */
export function declarationIn(path: string, name: string): ApiEntry {
  return entryOf(name, join(root, path));
}

/** The names that a module exports, each with the file that declares it. */
function exportsOf(path: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const node of sourceOf(path).body) {
    const target = node['source'] as { readonly value: string } | null | undefined;
    if (node.type === 'ExportAllDeclaration' && target) {
      for (const [name, file] of exportsOf(resolved(target.value, path))) names.set(name, file);
    }
    if (node.type !== 'ExportNamedDeclaration') continue;
    const declaration = node['declaration'] as Node | null;
    for (const name of declaration === null ? [] : declaredNames(declaration)) names.set(name, path);
    for (const specifier of node['specifiers'] as readonly Node[]) {
      const name = nameOf(specifier['exported']);
      const file = target ? exportsOf(resolved(target.value, path)).get(nameOf(specifier['local'])) : path;
      if (file === undefined) throw new Error(`${path} exports ${name}, which is declared nowhere`);
      names.set(name, file);
    }
  }
  return names;
}

const resolved = (specifier: string, from: string): string =>
  specifier.startsWith('@shoal/')
    ? join(root, 'libs', specifier.slice('@shoal/'.length), 'src/index.ts')
    : join(dirname(from), specifier);

const nameOf = (node: unknown): string => (node as { readonly name: string }).name;

function declaredNames(node: Node): string[] {
  if (node.type !== 'VariableDeclaration') return [nameOf(node['id'])];
  return (node['declarations'] as readonly Node[]).map((each) => nameOf(each['id']));
}

function entryOf(name: string, path: string): ApiEntry {
  const source = sourceOf(path);
  const found = source.body.filter(
    (node) =>
      node.type === 'ExportNamedDeclaration' &&
      node['declaration'] !== null &&
      declaredNames(node['declaration'] as Node).includes(name),
  );
  // A class may be written as a constant and an interface of the same name: the constant is what people use.
  const node = found.at(-1);
  if (node === undefined) throw new Error(`${path} does not declare ${name}`);
  const declaration = node['declaration'] as Node;
  const kind = kinds[declaration.type];
  if (kind === undefined) throw new Error(`${path}: ${name} is a ${declaration.type}`);
  return {
    name,
    kind,
    doc: docBefore(source, node.start),
    signature: signatureOf(source, declaration),
    members: membersOf(source, declaration),
  };
}

const kinds: Readonly<Record<string, ApiEntry['kind']>> = {
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
  FunctionDeclaration: 'function',
  VariableDeclaration: 'const',
};

function signatureOf(source: Source, node: Node): string {
  const body = node['body'] as Node | null | undefined;
  if (node.type === 'VariableDeclaration') {
    // The value says nothing that the type does not.
    const id = (node['declarations'] as readonly Node[])[0]?.['id'] as Node;
    return `const ${tidy(source.text.slice(id.start, id.end))}`;
  }
  return tidy(source.text.slice(node.start, body?.start ?? node.end)).replace(/^async /, '');
}

function membersOf(source: Source, node: Node): ApiMember[] {
  const body = node['body'] as Node | null | undefined;
  if (node.type === 'FunctionDeclaration' || !body) return [];
  const members = new Map<string, ApiMember>();
  for (const member of body['body'] as readonly Node[]) {
    const key = member['key'] as Node | undefined;
    if (key === undefined || key.type === 'PrivateIdentifier' || member['kind'] === 'constructor') continue;
    // What it says otherwise than its base means the same.
    if (member['override'] === true) continue;
    const written = source.text.slice(key.start, key.end);
    const name = member['computed'] === true ? `[${written}]` : written;
    const value = member['value'] as Node | null | undefined;
    // Of a method with a body, and of a field with a value, the declaration only.
    const bodyStart = (value?.['body'] as Node | null | undefined)?.start;
    const annotation = member['typeAnnotation'] as Node | null | undefined;
    const end =
      bodyStart ?? (member.type === 'PropertyDefinition' ? annotation?.end : undefined) ?? member.end;
    const signature = tidy(source.text.slice(member.start, end));
    const doc = docBefore(source, member.start);
    const known = members.get(name);
    if (known === undefined) members.set(name, { name, signatures: [signature], doc });
    else {
      known.signatures.push(signature);
      known.doc ||= doc;
    }
  }
  return [...members.values()];
}

/** The text of the docstring that ends right before a place. */
function docBefore({ text, comments }: Source, start: number): string {
  const comment = comments.findLast(({ end }) => end <= start);
  if (comment === undefined || comment.type !== 'Block' || !comment.value.startsWith('*')) return '';
  if (text.slice(comment.end, start).trim() !== '') return '';
  return comment.value
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

/** A declaration as its reader wants it: without what every one of them has. */
function tidy(code: string): string {
  return code
    .replace(/\breadonly (?=[\w[]+[\]\w.]*\??:)/g, '')
    .replace(/(\?: [^;]*) \| undefined(?=;|$)/, '$1')
    .replace(/\n {2}/g, '\n')
    .trim()
    .replace(/[;=]$/, '')
    .trim();
}
