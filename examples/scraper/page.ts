import { current, task } from 'shoal';

/** What we want to know of a page. */
export interface Page {
  readonly url: string;
  readonly title: string;
  readonly links: number;
}

/** The site answered with something else than the page. */
export class HttpError extends Error {
  override readonly name: string = 'HttpError';
  readonly status: number;

  constructor(status: number, url: string) {
    super(`${url} answered ${status}`);
    this.status = status;
  }
}

/** Fetches a page and reads it: nearly all of its time is waiting, so one process can do it for many pages at once. */
export const fetchPage = task(import.meta, async (url: string): Promise<Page> => {
  // A page that is given up takes its connection with it.
  const response = await fetch(url, { signal: current()?.signal ?? null });
  const text = await response.text();
  if (!response.ok) throw new HttpError(response.status, url);
  return {
    url,
    title: /<title>(.*?)<\/title>/.exec(text)?.[1] ?? '',
    links: text.match(/<a href=/g)?.length ?? 0,
  };
});
