import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the site is like. */
export interface SiteOptions {
  /** How many pages it has, numbered from 0. */
  readonly pages: number;
  /** How long it takes over each page, in milliseconds. */
  readonly latencyMs: number;
  /** The page that is never answered. */
  readonly hangingPage: number;
  /** The page that is answered with status 500. */
  readonly brokenPage: number;
}

/** A site of generated pages on the loopback interface. It counts who asks for what. */
export class Site {
  readonly options: SiteOptions;
  readonly #server: Server;
  #requests = 0;
  #atOnce = 0;
  #mostAtOnce = 0;

  private constructor(options: SiteOptions) {
    this.options = options;
    this.#server = createServer((request, response) => this.#answer(request, response));
    // A child that lives on between two jobs keeps its connections; they must not keep us waiting.
    this.#server.keepAliveTimeout = 30_000;
  }

  /** Starts it on a free port. */
  static async start(options: SiteOptions): Promise<Site> {
    const site = new Site(options);
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  /** The addresses of its first pages, in order. */
  urls(count: number = this.options.pages): string[] {
    const { port } = this.#server.address() as AddressInfo;
    return Array.from({ length: count }, (_, page) => `http://127.0.0.1:${port}/pages/${page}`);
  }

  /** How many requests came, those of the pages that fail included. */
  get requests(): number {
    return this.#requests;
  }

  /** How many requests were open at the same time, at most. */
  get mostAtOnce(): number {
    return this.#mostAtOnce;
  }

  /** Counts from 0 again. */
  resetCounts(): void {
    this.#requests = 0;
    this.#mostAtOnce = this.#atOnce;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#requests += 1;
    this.#atOnce += 1;
    this.#mostAtOnce = Math.max(this.#mostAtOnce, this.#atOnce);
    response.once('close', () => {
      this.#atOnce -= 1;
    });
    const page = Number(/^\/pages\/(\d+)$/.exec(request.url ?? '')?.[1] ?? Number.NaN);
    if (page === this.options.hangingPage) return;
    setTimeout(() => {
      if (page === this.options.brokenPage) response.writeHead(500).end('out of order');
      else if (page < this.options.pages) response.writeHead(200, html).end(pageText(page));
      else response.writeHead(404).end('no such page');
    }, this.options.latencyMs);
  }
}

const html = { 'content-type': 'text/html; charset=utf-8' };

/** The title of a page. */
export const titleOf = (page: number): string => `Page ${page} of the site`;

/** How many links a page has: from 1 to 20. */
export const linksOf = (page: number): number => 1 + (page % 20);

function pageText(page: number): string {
  const links = Array.from({ length: linksOf(page) }, (_, link) => {
    const to = page * 7 + link;
    return `<li><a href="/pages/${to}">page ${to}</a></li>`;
  });
  return `<!doctype html><html><head><title>${titleOf(page)}</title></head><body><ul>${links.join('')}</ul></body></html>`;
}
