/**
 * What Node runs in a spawned child of a built package, as `child-main.js`: it starts the script that lies beside it, which
 * is {@link "./child-script.ts"}. From sources, child-main.ts does the same without it.
 */
import { readFileSync } from 'node:fs';
import { runCompiled } from './child/compiled-script.ts';
import type { ScriptSupport } from './child-script.ts';

/** Of the script; the build puts it here. */
declare const scriptSha256: string;

const url = new URL('./child-main.script.js', import.meta.url);
const { value, keep } = runCompiled(readFileSync(url, 'utf8'), url.href, `child-${scriptSha256}.bin`);
const program: { exports: { start?: (support: ScriptSupport) => void } } = { exports: {} };
(value as (module: typeof program, scriptUrl: string) => void)(program, url.href);
program.exports.start?.({ importUrl: (task) => import(task), keepCompiled: keep });
