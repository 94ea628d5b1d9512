/**
 * `node:fs/promises`, loaded when somebody needs it: with it come readline and all that watches folders, a tenth of what
 * `import 'shoal'` takes, and most programs never ask for it.
 */
export const fsPromises = (): typeof import('node:fs/promises') =>
  process.getBuiltinModule('node:fs/promises');
