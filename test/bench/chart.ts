import { numberText, type Row, type Table } from './figures.ts';

const width = 720;
const nameWidth = 250;
const barWidthMax = 300;
const rowHeight = 22;
const titleHeight = 34;
const gap = 18;

const style = `
text { font: 13px system-ui, sans-serif; fill: #1f2933 }
.title { font-weight: 600; font-size: 14px }
.note { fill: #7b8794 }
rect { fill: #9aa5b1 }
.shoal { fill: #0b7285 }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb }
  .note { fill: #9aa5b1 }
  rect { fill: #616e7c }
  .shoal { fill: #3bc9db }
}`;

/** The medians as bars, a panel for each workload, on a light or a dark page. */
export function chartOf(tables: readonly Table[]): string {
  let top = gap;
  const panels: string[] = [];
  for (const table of tables) {
    panels.push(panelOf(table, top));
    top += titleHeight + table.rows.length * rowHeight + gap;
  }
  const size = `viewBox="0 0 ${width} ${top}" width="${width}" height="${top}"`;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`;
  const name = '<title>The medians of every workload</title>';
  return [open, name, `<style>${style}\n</style>`, ...panels, '</svg>', ''].join('\n');
}

function panelOf({ title, unit, rows, moreIsBetter }: Table, top: number): string {
  const most = Math.max(...rows.map((row) => row.median).filter(Number.isFinite), Number.MIN_VALUE);
  const note = `<tspan class="note">${unit}, ${moreIsBetter ? 'more' : 'less'} is better</tspan>`;
  return [
    `<text class="title" x="0" y="${top + 14}">${escaped(title)} ${note}</text>`,
    ...rows.map((row, at) => barOf(row, at === 0, most, top + titleHeight + at * rowHeight)),
  ].join('\n');
}

function barOf(row: Row, isShoal: boolean, most: number, top: number): string {
  const y = top + 10;
  const name = `<text x="${nameWidth - 8}" y="${y}" text-anchor="end">${escaped(row.contender)}</text>`;
  const absence = row.missing === undefined ? row.failed && 'failed' : 'missing here';
  if (absence) return `${name}<text class="note" x="${nameWidth}" y="${y}">${absence}</text>`;
  // A bar that is too short to be seen is still there.
  const length = Math.max(1, Math.round((row.median / most) * barWidthMax));
  const look = isShoal ? ' class="shoal"' : '';
  const bar = `<rect${look} x="${nameWidth}" y="${top - 2}" width="${length}" height="15" rx="2"/>`;
  return `${name}${bar}<text x="${nameWidth + length + 8}" y="${y}">${numberText(row.median)}</text>`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
