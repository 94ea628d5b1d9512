import { Pool } from 'shoal';
import { chapters } from './chapters.ts';
import { hold } from './specification.ts';

hold('local pool', chapters, async (options) => new Pool(options));
