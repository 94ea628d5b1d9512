import { bundlePath, sourceScheme } from './bundle-path.ts';

interface SourceMap {
  sources: string[];
  mappings: string;
  sourcesContent?: unknown;
}

/**
 * A module with its source map inside, after `banner` as one more line.
 *
 * The map names files by their place in the project; what they contain stays at home.
 */
export function withSourceMap(code: string, map: string, banner: string, root: string): string {
  const { sourcesContent: _, ...parsed } = JSON.parse(map) as SourceMap;
  const sources = parsed.sources.map((source) =>
    // Modules of Shoal's own making are called `namespace:path`, and are no files anywhere.
    /^[\w-]{2,}:/.test(source) ? source : sourceScheme + encodeURI(bundlePath(root, `${root}/${source}`)),
  );
  const mappings = banner === '' ? parsed.mappings : `;${parsed.mappings}`;
  const inline = Buffer.from(JSON.stringify({ ...parsed, sources, mappings })).toString('base64');
  const head = banner === '' ? '' : `${banner}\n`;
  return `${head}${code}//# sourceMappingURL=data:application/json;base64,${inline}\n`;
}
