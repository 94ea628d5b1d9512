import type { AttemptReport, DataRequest, FailedTry, JobPrints, ResultRun } from '@shoal/protocol';
import type { Piece } from '../core/agent-command.ts';
import type { EntryId } from '../core/agent-event.ts';
import type { Ended } from './attempt-report.ts';

/** One piece of news of an attempt. */
export type News = { readonly run: ResultRun } | { readonly failure: FailedTry } | { readonly ended: Ended };

/** The bytes of what the agent has to report, under the numbers that the machine gave them. */
export class NewsShelf {
  readonly #news = new Map<EntryId, News>();

  keep(entry: EntryId, news: News): void {
    this.#news.set(entry, news);
  }

  drop(entries: readonly EntryId[]): void {
    for (const entry of entries) this.#news.delete(entry);
  }

  /** One message for these pieces, in their order. */
  message(sequence: number, pieces: readonly Piece[], prints: JobPrints[]): DataRequest {
    const reports: AttemptReport[] = [];
    for (const piece of pieces) {
      const news = this.#news.get(piece.entry);
      if (news === undefined) throw new Error(`Entry ${piece.entry} is not known.`);
      addTo(reports, piece.attempt, 'run' in news ? { run: partOf(news.run, piece) } : news);
    }
    return { sequence, reports, prints };
  }
}

/** A run that is too big for a message travels in parts. */
function partOf(run: ResultRun, { fromByte, toByte, more }: Piece): ResultRun {
  const totalBytes = run.payload.byteLength;
  if (fromByte === 0 && toByte === totalBytes) return run;
  const payload = run.payload.subarray(fromByte, toByte);
  return { ...run, payload, more, totalBytes: fromByte === 0 ? totalBytes : 0 };
}

/** News of one attempt in a row share a report, as long as their order within it is that of the message's fields. */
function addTo(reports: AttemptReport[], attempt: number, news: News): void {
  const last = reports.at(-1);
  const fits =
    last !== undefined &&
    last.attempt === attempt &&
    last.ended === undefined &&
    !('run' in news && last.failures.length > 0);
  const report: AttemptReport = fits ? last : { attempt, runs: [], failures: [] };
  if (!fits) reports.push(report);
  if ('run' in news) report.runs.push(news.run);
  else if ('failure' in news) report.failures.push(news.failure);
  else report.ended = news.ended;
}
