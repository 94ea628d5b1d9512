/** A page of a list, as the coordinator answers. */
interface Page {
  /** Empty: it was the last one. */
  readonly nextPageToken: string;
}

/** So many pages are asked for: a list that has no end, of a coordinator that is none, must not fill our memory. */
const pagesMax = 10_000;

/** A whole list, asked for page by page. */
export async function allPages<P extends Page, T>(
  pageAt: (pageToken: string) => Promise<P>,
  entriesOf: (page: P) => readonly T[],
): Promise<T[]> {
  const all: T[] = [];
  let token = '';
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page = await pageAt(token);
    // Not by spreading: a page may have more entries than a call may have arguments.
    for (const entry of entriesOf(page)) all.push(entry);
    token = page.nextPageToken;
    if (token === '') break;
  }
  return all;
}
