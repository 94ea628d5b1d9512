#!/usr/bin/env node
/**
 * The `shoal` command from its sources, as the tests start it hundreds of times. Node keeps what it has compiled of them,
 * which is most of a start; by a call and not by NODE_COMPILE_CACHE, which every child of the command would find.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../.build/compile-cache', import.meta.url)));
await import('../libs/shoal/bin/shoal.js');
