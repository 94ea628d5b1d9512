import type {
  AnyNode,
  ClassBody,
  Function as FunctionNode,
  Pattern,
  PrivateIdentifier,
  VariableDeclaration,
} from 'acorn';
import { ancestor } from 'acorn-walk';

/** Something that a piece of code uses and does not define itself. */
export interface FreeVariable {
  readonly name: string;
  /** Where it is used first, as an offset into the source. */
  readonly offset: number;
}

/**
 * Every name that the code below `root` uses and no scope of it declares, each once, in order of appearance.
 *
 * `this`, `super`, `new.target`, `import.meta`, `#private` names and imports of anything but Node's own modules count as
 * names where they reach outside `root`: a function that was sent elsewhere finds none of them.
 */
export function freeVariables(root: AnyNode): FreeVariable[] {
  const scopes = declarationsIn(root);
  const found = new Map<string, number>();
  const note = (name: string, offset: number): void => {
    if (offset < (found.get(name) ?? Infinity)) found.set(name, offset);
  };
  const look = (node: { readonly name: string; readonly start: number }, path: readonly AnyNode[]): void => {
    if (!path.some((outer) => scopes.get(outer)?.has(node.name))) note(node.name, node.start);
  };
  const lookPrivate = (node: PrivateIdentifier, path: readonly AnyNode[]): void => {
    if (!path.some((outer) => outer.type === 'ClassBody' && declaresPrivate(outer, node.name)))
      note(`#${node.name}`, node.start);
  };
  ancestor<undefined>(root, {
    Identifier: (node, _, path) => look(node, path),
    // The walker's name for a name that is bound or assigned to; its types do not list it.
    ...{ VariablePattern: (node: PatternName, _: unknown, path: AnyNode[]) => look(node, path) },
    ThisExpression: (node, _, path) => {
      if (!path.slice(0, -1).some((outer) => bindsThis(outer, root))) note('this', node.start);
    },
    Super: (node, _, path) => {
      if (!path.some((outer) => outer.type === 'ClassBody')) note('super', node.start);
    },
    MemberExpression: (node, _, path) => {
      // The walker passes over a property that is a name.
      if (node.property.type === 'PrivateIdentifier') lookPrivate(node.property, path);
    },
    PrivateIdentifier: (node, _, path) => lookPrivate(node, path),
    MetaProperty: (node) => {
      if (node.meta.name === 'import') note('import.meta', node.start);
    },
    ImportExpression: (node) => {
      const { source } = node;
      const named = source.type === 'Literal' && typeof source.value === 'string' ? source.value : undefined;
      if (!named?.startsWith('node:'))
        note(`import(${named === undefined ? '…' : `'${named}'`})`, node.start);
    },
  });
  return [...found].map(([name, offset]) => ({ name, offset })).sort((a, b) => a.offset - b.offset);
}

interface PatternName {
  readonly name: string;
  readonly start: number;
}

const isFunction = (node: AnyNode): node is FunctionNode & AnyNode =>
  node.type === 'FunctionDeclaration' ||
  node.type === 'FunctionExpression' ||
  node.type === 'ArrowFunctionExpression';

/** Whether `this` inside this node is its own. The outermost function's is whatever it is called on: nothing. */
function bindsThis(node: AnyNode, root: AnyNode): boolean {
  if (node.type === 'ClassBody') return true;
  return isFunction(node) && node.type !== 'ArrowFunctionExpression' && !isOutermost(node, root);
}

function isOutermost(node: AnyNode, root: AnyNode): boolean {
  return node.start === root.start || (root.type === 'Property' && root.value === node);
}

const declaresPrivate = ({ body }: ClassBody, name: string): boolean =>
  body.some((part) => 'key' in part && part.key.type === 'PrivateIdentifier' && part.key.name === name);

/** The names that each scope below `root` declares, by the node that makes the scope. */
function declarationsIn(root: AnyNode): Map<AnyNode, Set<string>> {
  const scopes = new Map<AnyNode, Set<string>>();
  const declare = (scope: AnyNode | undefined, name: string): void => {
    const key = scope ?? root;
    const names = scopes.get(key) ?? new Set();
    scopes.set(key, names.add(name));
  };
  const declareFunction = (node: FunctionNode & AnyNode, path: readonly AnyNode[]): void => {
    if (node.type !== 'ArrowFunctionExpression') declare(node, 'arguments');
    for (const param of node.params) for (const name of namesIn(param)) declare(node, name);
    if (!node.id) return;
    // A declaration's name belongs to the scope around it, an expression's own name to itself.
    const around = node.type === 'FunctionDeclaration' ? path.slice(0, -1).findLast(makesBlockScope) : node;
    declare(around, node.id.name);
  };
  ancestor<undefined>(root, {
    FunctionDeclaration: (node, _, path) => declareFunction(node as FunctionNode & AnyNode, path),
    FunctionExpression: (node, _, path) => declareFunction(node as FunctionNode & AnyNode, path),
    ArrowFunctionExpression: (node, _, path) => declareFunction(node as FunctionNode & AnyNode, path),
    ClassDeclaration: (node, _, path) => {
      if (node.id) declare(path.slice(0, -1).findLast(makesBlockScope), node.id.name);
    },
    ClassExpression: (node) => {
      if (node.id) declare(node, node.id.name);
    },
    CatchClause: (node) => {
      if (node.param) for (const name of namesIn(node.param)) declare(node, name);
    },
    VariableDeclaration: (node: VariableDeclaration, _, path) => {
      const scope = path.slice(0, -1).findLast(node.kind === 'var' ? makesVarScope : makesBlockScope);
      for (const { id } of node.declarations) for (const name of namesIn(id)) declare(scope, name);
    },
  });
  return scopes;
}

const makesVarScope = (node: AnyNode): boolean =>
  isFunction(node) || node.type === 'Program' || node.type === 'StaticBlock';

const makesBlockScope = (node: AnyNode): boolean =>
  makesVarScope(node) ||
  node.type === 'BlockStatement' ||
  node.type === 'SwitchStatement' ||
  node.type === 'ForStatement' ||
  node.type === 'ForInStatement' ||
  node.type === 'ForOfStatement';

/** The names that a pattern binds: `{ a, b: [c = 1] }` binds a and c. */
function namesIn(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((part) => namesIn(part.type === 'Property' ? part.value : part));
    case 'ArrayPattern':
      return pattern.elements.flatMap((part) => (part === null ? [] : namesIn(part)));
    case 'AssignmentPattern':
      return namesIn(pattern.left);
    case 'RestElement':
      return namesIn(pattern.argument);
    default:
      return [];
  }
}
