import { Pool } from 'shoal';
import { childChapters } from './chapters.ts';
import { hold } from './specification.ts';

hold('local pool', childChapters, async (options) => new Pool({ startChildren: 'fork', ...options }));
