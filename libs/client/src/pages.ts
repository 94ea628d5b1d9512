import { ShoalError } from '@shoal/errors';

/** A page of a list, as the coordinator answers. */
interface Page {
  /** Empty: it was the last one. */
  readonly nextPageToken: string;
}

/** So many entries a list may have: one without an end, of a coordinator that is none, must not fill our memory. */
const entriesMax = 100_000;

/** A whole list, asked for page by page. Throws `LIMIT_REACHED` for one without an end. */
export async function allPages<P extends Page, T>(
  pageAt: (pageToken: string) => Promise<P>,
  entriesOf: (page: P) => readonly T[],
): Promise<T[]> {
  const all: T[] = [];
  let token = '';
  const seen = new Set<string>();
  do {
    const page = await pageAt(token);
    // Not by spreading: a page may have more entries than a call may have arguments.
    for (const entry of entriesOf(page)) all.push(entry);
    token = page.nextPageToken;
    if (all.length > entriesMax || seen.has(token)) {
      throw new ShoalError('LIMIT_REACHED', {
        what: 'A list of the coordinator',
        value: seen.has(token) ? 'a page that comes again' : `${all.length} entries`,
        limit: entriesMax,
        option: 'fixed: it is no list of ours',
      });
    }
    seen.add(token);
  } while (token !== '');
  return all;
}
