/** A fenced block of a Markdown file. */
export interface FencedBlock {
  /** The first word after the fence: `bash`, `ts`, `text`, … */
  readonly language: string;
  /** What follows it: a file name, or `background`. */
  readonly title: string;
  readonly text: string;
  /** Where it begins in the file, from 1. */
  readonly line: number;
}

/** The fenced blocks of a Markdown text, in order. */
export function fencedBlocks(markdown: string): readonly FencedBlock[] {
  return [...markdown.matchAll(/^```(\w*) ?(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    title: match[2] ?? '',
    text: match[3] ?? '',
    line: markdown.slice(0, match.index).split('\n').length,
  }));
}
