// Links the packages of this repository that node_modules does not know yet: whoever pulls a new one need not install
// everything again before he builds. Plain JavaScript, for the build of everything else comes after it.
import { existsSync, globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');

for (const manifest of globSync('{libs,apps}/*/package.json', { cwd: root })) {
  const { name } = JSON.parse(readFileSync(join(root, manifest), 'utf8'));
  const link = join(modules, name);
  if (!existsSync(modules) || existsSync(link)) continue;
  mkdirSync(dirname(link), { recursive: true });
  // A junction is what Windows lets everybody make; elsewhere the word means nothing.
  symlinkSync(relative(dirname(link), dirname(join(root, manifest))), link, 'junction');
}
