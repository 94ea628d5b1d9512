import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { BundledJob, ModuleTask } from './bundle.ts';

/** A user's project on disk. */
export class Project implements AsyncDisposable {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'shoal-project-')));

  static async of(files: Readonly<Record<string, string>>): Promise<Project> {
    const project = new Project();
    await project.write({ 'package.json': '{"name":"user","type":"module"}', ...files });
    return project;
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }

  url(path: string): string {
    return pathToFileURL(join(this.folder, path)).href;
  }

  /** `work.ts#square` as the surface resolves it. */
  exported(path: string, name: string): ModuleTask {
    return { kind: 'export', name, url: this.url(path), export: name };
  }

  registered(path: string, ordinal: number): ModuleTask {
    return { kind: 'registered', name: 'task', url: this.url(path), origin: this.url(path), ordinal };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Evaluates an expression over a bundle's exports (`m`) in a process of its own, as an agent's child would. */
export async function evaluate({ bundle }: BundledJob, expression: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bundle-'));
  try {
    const file = join(folder, 'bundle.mjs');
    await writeFile(file, bundle.bytes);
    const main = `const m = await import(${JSON.stringify(pathToFileURL(file).href)});
      const tasks = globalThis[Symbol.for('shoal.tasks')];
      process.stdout.write(JSON.stringify(await (async () => (${expression}))()) ?? 'null');`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--enable-source-maps', '--input-type=module', '-e', main],
      { cwd: folder },
    );
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
