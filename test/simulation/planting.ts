import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type PlantedBug, plantedBugs } from './planted-bugs.ts';

const mark = 'bug=';
const root = new URL('../../', import.meta.url).href;
let isHooked = false;

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

/**
 * The player of worlds, over cores with this bug in them: a second instance of every module, beside the sound ones.
 *
 * The address of each module of that instance ends in `?bug=NAME`, which its imports inherit.
 */
export async function playerWith(bug: PlantedBug | undefined): Promise<typeof import('./player.ts')> {
  if (bug === undefined) return import('./player.ts');
  hook();
  return import(`./player.ts?${mark}${bug.name}`);
}

function hook(): void {
  if (isHooked) return;
  isHooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const name = bugOf(context.parentURL ?? '');
      if (name === undefined || !resolved.url.startsWith(root) || bugOf(resolved.url) !== undefined)
        return resolved;
      return { ...resolved, url: `${resolved.url}?${mark}${name}` };
    },
    load(url, context, next) {
      const loaded = next(url, context);
      const bug = plantedBugs.find(({ file, name }) => url === `${root}${file}?${mark}${name}`);
      if (bug === undefined) return loaded;
      return { ...loaded, source: planted(String(loaded.source), bug) };
    },
  });
}

function bugOf(url: string): string | undefined {
  const at = url.indexOf(`?${mark}`);
  return at === -1 ? undefined : url.slice(at + mark.length + 1);
}

/** Where the file of a bug is. */
export function fileOf({ file }: PlantedBug): string {
  return fileURLToPath(new URL(file, root));
}
