/** The rows of all tables in Markdown that a program printed, by their first cells; a cell without a number is NaN. */
export function tableRows(markdown: string): Map<string, number[]> {
  const lines = markdown.split('\n').filter((line) => line.startsWith('| '));
  return new Map(
    lines.map((line) => {
      const [title = '', ...cells] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [title, cells.map((cell) => Number.parseFloat(cell.replaceAll(',', '')))] as const;
    }),
  );
}
