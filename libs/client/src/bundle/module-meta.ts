import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Plugin, PluginBuild } from 'esbuild';
import { bundlePath, modulePath, moduleUrl } from './bundle-path.ts';

const mentionsItself = /\bimport\s*\.\s*meta\b|\b__(?:dir|file)name\b/;

/** The text of a module whose default export stands for `import.meta` of the module at `path`. */
function metaModule(path: string): string {
  const url = JSON.stringify(moduleUrl(path));
  const file = JSON.stringify(modulePath(path));
  const folder = JSON.stringify(posix.dirname(modulePath(path)));
  return `export default {
  url: ${url}, filename: ${file}, dirname: ${folder}, main: false,
  resolve: (specifier) => /^\\.{0,2}\\//.test(specifier) ? new URL(specifier, ${url}).href : import.meta.resolve(specifier),
};
`;
}

/** Compiles one module alone, with its identity replaced; undefined where it does not compile. */
async function withIdentity(
  build: PluginBuild,
  root: string,
  file: string,
  source: string,
): Promise<string | undefined> {
  const path = bundlePath(root, file);
  let meta = '$meta';
  while (source.includes(meta)) meta += '$'; // A name that the module does not use itself.
  const compile = async (banner: string): Promise<string | undefined> => {
    const compiled = await build.esbuild.build({
      entryPoints: [file],
      absWorkingDir: root,
      bundle: false,
      write: false,
      outfile: `${file}.js`,
      banner: { js: banner },
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
      platform: 'node',
      target: build.initialOptions.target ?? 'node24',
      define: {
        'import.meta': meta,
        __filename: JSON.stringify(modulePath(path)),
        __dirname: JSON.stringify(posix.dirname(modulePath(path))),
      },
    });
    return compiled.outputFiles[0]?.text;
  };
  const compiled = await compile('');
  // An import would turn a CommonJS module, which can only mention import.meta in a comment, into another kind.
  // It stands first, so that the value is there even for a caller in an import cycle.
  return compiled?.includes(meta)
    ? compile(`import ${meta} from ${JSON.stringify(`shoal-meta:${path}`)};`)
    : compiled;
}

/**
 * Lets every module of a bundle keep an `import.meta`, a `__filename` and a `__dirname` of its own.
 *
 * All modules of a bundle share one file, hence one `import.meta`; `task(import.meta, f)` in two of them would
 * register under one name. The few files that mention their identity are compiled alone first, with the names
 * replaced in their syntax tree (never in strings or comments), and then go into the bundle.
 */
export function moduleMeta(root: string): Plugin {
  return {
    name: 'shoal-module-meta',
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: 'file' }, async ({ path: file }) => {
        const source = await readFile(file, 'utf8');
        if (!mentionsItself.test(source)) return undefined;
        // What does not compile alone does not compile in the bundle either, and is reported from there.
        const contents = await withIdentity(build, root, file, source).catch(() => undefined);
        return contents === undefined ? undefined : { contents, loader: 'js' };
      });
      build.onResolve({ filter: /^shoal-meta:/ }, ({ path }) => ({
        path: path.slice('shoal-meta:'.length),
        namespace: 'shoal-meta',
      }));
      build.onLoad({ filter: /.*/, namespace: 'shoal-meta' }, ({ path }) => ({ contents: metaModule(path) }));
    },
  };
}
