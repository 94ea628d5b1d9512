import { shownText } from '@shoal/errors';

/** Rows with their columns below each other, the widest cell of each deciding. Many a cell is what somebody else has sent. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map(oneLine));
  const widths =
    shown[0]?.map((_, column) => Math.max(...shown.map((row) => row[column]?.length ?? 0))) ?? [];
  return shown.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A text that came from elsewhere as a part of one line. */
export const oneLine = (text: string): string => shownText(text).replaceAll(/\s*\r?\n\s*/g, ' ');
