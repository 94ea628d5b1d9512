import { Pool } from 'shoal';
import { sharedModuleChapters } from './chapters.ts';
import { hold } from './specification.ts';

hold(
  'local pool',
  sharedModuleChapters,
  async (options) => new Pool({ startChildren: 'fork', preload: true, ...options }),
);
