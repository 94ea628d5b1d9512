// Removes what a build writes. tsc never deletes the output of a source file that is gone.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

for (const group of ['libs', 'apps']) {
  for (const name of readdirSync(join(root, group)))
    rmSync(join(root, group, name, 'dist'), { recursive: true, force: true });
}
for (const folder of ['.build', '.nx', 'coverage'])
  rmSync(join(root, folder), { recursive: true, force: true });
