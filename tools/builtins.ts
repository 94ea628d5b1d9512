import type { Plugin } from 'esbuild';

/**
 * Takes from Node's modules what is used of them. An `import` of one reads every property that it has, and behind some
 * of these are other modules: `import { readFileSync } from 'node:fs'` loads streams and readline. For a child that was
 * a third of its start.
 *
 * What is imported is read once, while our module is loaded, as with `import`: a task that replaces it does not reach us.
 */
export const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'builtin', sideEffects: false }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path) ?? {}).filter(
        (name) => /^[\w$]+$/.test(name) && name !== 'default',
      );
      const exported = names.map((name) => `const $${name} = /* @__PURE__ */ of('${name}');`);
      const list = names.map((name) => `$${name} as ${name}`).join(', ');
      const contents = [
        `const builtin = /* @__PURE__ */ process.getBuiltinModule('${path}');`,
        'const of = (name) => builtin[name];',
        ...exported,
        `export { builtin as default, ${list} };`,
      ].join('\n');
      return { contents };
    });
  },
};
