import { type AnyNode, type Expression, type Options, type Property, parseExpressionAt } from 'acorn';
import { nodeGlobals } from '../node-globals.ts';
import { type FreeVariable, freeVariables } from './free-variables.ts';
import { placeOfFunction } from './function-place.ts';

/** A function of the caller, as source text that evaluates to an equal function anywhere. */
export interface InlineFunction {
  readonly name: string;
  /** An expression. */
  readonly source: string;
}

/** Why a function cannot be sent: the facts of TASK_NOT_PORTABLE. */
export interface NotPortable {
  readonly task: string;
  /** What it uses from outside itself. */
  readonly names: string;
  readonly where: string;
}

/**
 * The source of a function that needs nothing from outside itself, or what it does need. Throws a TypeError for a class.
 *
 * Built-in functions (`Math.sqrt`, `structuredClone`) are sent by their name.
 */
export function inlineFunction(fn: (...args: never) => unknown): InlineFunction | NotPortable {
  const builtIn = builtInPath(fn);
  if (builtIn !== undefined) return { name: fn.name, source: builtIn };
  const text = Function.prototype.toString.call(fn);
  // bind() puts "bound " before the name, also where there is none.
  const name = /^(bound )*$/.test(fn.name) ? 'an inline function' : fn.name;
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) {
    return {
      task: name === 'an inline function' ? 'An inline function' : name,
      names: 'native code or what it was bound to',
      where: 'its source is not JavaScript',
    };
  }
  const { expression, root, prefix, suffix } = parsed(text, name);
  const offsetInText = (offset: number): number => offset - prefix.length;
  const missing: FreeVariable[] = [];
  const helpers: string[] = [];
  for (const variable of freeVariables(root)) {
    const helper = compilerHelpers.get(variable.name);
    if (helper !== undefined) helpers.push(`const ${variable.name} = ${helper};`);
    else if (!nodeGlobals.has(variable.name)) missing.push(variable);
  }
  if (missing.length > 0) return notPortable(fn, name, text, missing, offsetInText);
  const source = `${prefix}${text}${suffix}${accessOf(expression)}`;
  return {
    name: fn.name === '' ? 'anonymous' : fn.name,
    source: helpers.length === 0 ? source : `(() => { ${helpers.join(' ')} return (${source}); })()`,
  };
}

/** What compilers put into a function to keep it as it was: these travel with it. */
const compilerHelpers: ReadonlyMap<string, string> = new Map([
  // esbuild with keepNames, hence tsx.
  ['__name', "(target, value) => Object.defineProperty(target, 'name', { value, configurable: true })"],
  // esbuild for class fields, where the target asks for define semantics.
  [
    '__publicField',
    '(object, key, value) => (Object.defineProperty(object, typeof key === "symbol" ? key : key + "", { enumerable: true, configurable: true, writable: true, value }), value)',
  ],
]);

interface Parsed {
  /** The whole expression. */
  readonly expression: Expression;
  /** The node of the function within it. */
  readonly root: AnyNode;
  readonly prefix: string;
  readonly suffix: string;
}

/** What a function's text may hold by the place that it stood in, and loses by leaving it, is found in its tree. */
const parserOptions: Options = {
  ecmaVersion: 'latest',
  // Those of a class around it: `this.#private`.
  checkPrivateFields: false,
  // `import.meta`, in a script too: as a module it would be strict, which not every function is.
  allowImportExportEverywhere: true,
};

/** Parses a function's text: as it stands, or as the method that it was written as. */
function parsed(text: string, name: string): Parsed {
  // A method's text (`double(x) { … }`, `async *[key]() { … }`) is an expression only inside an object.
  for (const [prefix, suffix] of [
    ['(', ')'],
    ['({', '})'],
  ] as const) {
    let expression: Expression;
    try {
      expression = parseExpressionAt(`${prefix}${text}${suffix}`, 0, parserOptions);
    } catch {
      continue;
    }
    if (expression.type === 'ClassExpression') {
      throw new TypeError(
        `${name} is a class; a task function has to be callable without new. Wrap it: (x) => new ${name}(x), exported from its module.`,
      );
    }
    const root = expression.type === 'ObjectExpression' ? expression.properties[0] : expression;
    if (root !== undefined) return { expression, root, prefix, suffix };
  }
  if (name.startsWith('#')) {
    throw new TypeError(
      `${name} is a private method, which only its class can find. Wrap it: a function of the module, exported, that does the same.`,
    );
  }
  throw new TypeError(
    `The source of ${name} cannot be parsed; export it from a module and use task() or its URL.`,
  );
}

/** How to get at the function once the expression was evaluated: a method is behind its key. */
function accessOf(expression: Expression): string {
  if (expression.type !== 'ObjectExpression') return '';
  const method = expression.properties[0] as Property;
  if (method.kind === 'init' && !method.computed) {
    return method.key.type === 'Identifier'
      ? `.${method.key.name}`
      : `[${JSON.stringify(String((method.key as { value?: unknown }).value))}]`;
  }
  throw new TypeError('A getter, a setter or a method with a computed name cannot be a task function.');
}

// Those whose functions need no `this`. A look at every global would load what Node only loads when it is used: fetch and
// its kin take 70 ms.
const namespaces = { Array, BigInt, Date, JSON, Math, Number, Object, Reflect, String, Symbol };

/** Where a built-in function is found anywhere: `parseInt`, `Math.sqrt`; undefined for every other function. */
function builtInPath(fn: (...args: never) => unknown): string | undefined {
  const { name } = fn;
  if (nodeGlobals.has(name) && Reflect.get(globalThis, name) === fn) return name;
  for (const [owner, namespace] of Object.entries(namespaces)) {
    if (Object.getOwnPropertyDescriptor(namespace, name)?.value === fn) return `${owner}.${name}`;
  }
  return undefined;
}

function notPortable(
  fn: (...args: never) => unknown,
  name: string,
  text: string,
  missing: readonly FreeVariable[],
  offsetInText: (offset: number) => number,
): NotPortable {
  const place = placeOfFunction(fn);
  const lineOf = (offset: number): string => {
    const line = text.slice(0, offsetInText(offset)).split('\n').length - 1;
    if (place !== undefined) return `${place.file}:${place.line + line}`;
    return `line ${line + 1} of it`;
  };
  const names = missing.map(({ name: variable }) => `\`${variable}\``);
  return {
    task: name === 'an inline function' ? 'An inline function' : name,
    names: [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' and '),
    where: [...new Set(missing.map(({ offset }) => lineOf(offset)))].join(', '),
  };
}
