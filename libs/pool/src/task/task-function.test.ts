import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { resolveTask } from './task-function.ts';

const here = import.meta.url;

test('a URL names a module, an option or a fragment its export', () => {
  const url = new URL(here);
  expect(resolveTask(url, undefined)).toEqual({
    kind: 'export',
    name: 'task-function.test',
    url: here,
    export: 'default',
  });
  expect(resolveTask(url, 'square')).toMatchObject({ name: 'square', export: 'square', url: here });
  expect(resolveTask(new URL('#cube', here), undefined)).toMatchObject({ export: 'cube', url: here });
});

test('a path is resolved against the working directory', () => {
  const path = fileURLToPath(here);
  const url = pathToFileURL(path).href;
  expect(resolveTask(path, undefined)).toMatchObject({ url });
  const relative = `./${path.slice(process.cwd().length + 1)}`;
  expect(resolveTask(`${relative}#square`, undefined)).toMatchObject({ url, export: 'square' });
});

test('two different exports are refused', () => {
  expect(() => resolveTask(new URL('#cube', here), 'square')).toThrow(
    /asks for export "cube", the option export/,
  );
});

test('a file that is not there is named, and so is a folder', () => {
  expect(() => resolveTask('./nothing.ts', undefined)).toThrow(
    /nothing\.ts cannot be loaded: there is no such file/,
  );
  expect(() => resolveTask(new URL('.', here), undefined)).toThrow(/it is not a file/);
});

test('an inline function is looked at, and refused with the facts of the catalogue', async () => {
  expect(await resolveTask((x: number) => x + 1, undefined)).toMatchObject({
    kind: 'inline',
    name: 'anonymous',
  });
  const outside = 1;
  await expect(resolveTask(() => outside, undefined)).rejects.toMatchObject({
    code: 'TASK_NOT_PORTABLE',
    facts: { names: '`outside`' },
  });
});
