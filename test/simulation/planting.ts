import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BuildContext, context, type PluginBuild } from 'esbuild';
import { type PlantedBug, plantedBugs } from './planted-bugs.ts';

const root = new URL('../../', import.meta.url);
const files = new Set(plantedBugs.map(fileOf));

/** The text of a core with a bug in it. Throws where the snippet is not there, or not alone. */
export function planted(source: string, { file, name, replacement, snippet }: PlantedBug): string {
  const parts = source.split(snippet);
  if (parts.length !== 2) {
    throw new Error(
      `bug ${name}: its snippet is ${parts.length - 1} times in ${file}, not once:\n${snippet}`,
    );
  }
  return parts.join(replacement);
}

/** Makes players of worlds over cores with a bug in them. To be left with `await using`. */
export class Planter implements AsyncDisposable {
  readonly #builder: Promise<BuildContext<{ write: false }>>;
  #bug: PlantedBug | undefined;

  constructor() {
    this.#builder = context({
      entryPoints: [fileURLToPath(new URL('player.ts', import.meta.url))],
      bundle: true,
      conditions: ['@shoal/source'],
      format: 'esm',
      logLevel: 'silent',
      platform: 'node',
      target: 'node24',
      write: false,
      plugins: [
        {
          name: 'planted bug',
          setup: ({ onLoad }: PluginBuild) => onLoad({ filter: /\.ts$/ }, ({ path }) => this.#load(path)),
        },
      ],
    });
  }

  /**
   * A second instance of every module, beside the sound ones. All of them in one: to load 160 modules takes Node longer
   * than most of these worlds. What has no bug is parsed once for all players.
   */
  async playerWith(bug: PlantedBug): Promise<typeof import('./player.ts')> {
    this.#bug = bug;
    const { outputFiles } = await (await this.#builder).rebuild();
    // The name makes it a module of its own, also for a bug that changes nothing.
    const text = `${outputFiles[0]?.text}\n// ${bug.name}`;
    return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#builder).dispose();
  }

  #load(path: string): { readonly contents: string; readonly loader: 'ts' } | undefined {
    if (!files.has(path)) return undefined;
    const source = readFileSync(path, 'utf8');
    const isIt = this.#bug !== undefined && fileOf(this.#bug) === path;
    return { contents: isIt && this.#bug ? planted(source, this.#bug) : source, loader: 'ts' };
  }
}

/** Where the file of a bug is. */
function fileOf({ file }: PlantedBug): string {
  return fileURLToPath(new URL(file, root));
}
