/** Writes the program of a spawned child: a script, and the module that starts it (libs/pool/src/child-starter.ts). */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { builtins } from './builtins.ts';

/**
 * Nothing for readers: the text of a program that is started often is read, decoded and compared with what is kept of it
 * at each start. Names stay, for stacks. Lines end somewhere all the same: Node shows that of an error that nobody caught,
 * before it says what it was.
 */
export const forMachines: BuildOptions = { minifyWhitespace: true, minifySyntax: true, lineLimit: 160 };

/** Writes `child-main.js` and `child-main.script.js` to `outdir`; `sources` is the folder of the pool's. */
export async function buildChildMain(settings: BuildOptions, sources: string, outdir: string): Promise<void> {
  const made = async (entry: string, options: BuildOptions): Promise<string> => {
    const { outputFiles } = await build({
      ...settings,
      ...forMachines,
      plugins: [builtins],
      banner: {},
      entryPoints: [join(sources, entry)],
      outdir,
      write: false,
      ...options,
    });
    return outputFiles?.[0]?.text ?? '';
  };
  // One byte a character, in memory as well.
  const body = await made('child-script.ts', {
    format: 'cjs',
    charset: 'ascii',
    define: { 'import.meta.url': 'scriptUrl' },
  });
  const script = `(function(module,scriptUrl){${body}})\n`;
  const scriptSha256 = createHash('sha256').update(script).digest('hex');
  const starter = await made('child-starter.ts', { define: { scriptSha256: JSON.stringify(scriptSha256) } });
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, 'child-main.script.js'), script);
  writeFileSync(join(outdir, 'child-main.js'), starter);
}
