import { numberText } from '../figures.ts';
import type { Growth, Series } from './growth.ts';

const [width, height] = [720, 320];
const plot = { left: 64, right: 600, top: 44, bottom: 272 };

const style = `
text { font: 13px system-ui, sans-serif; fill: #1f2933 }
.title { font-weight: 600; font-size: 14px }
.note { fill: #7b8794 }
.grid { stroke: #d9dee3 }
.line { fill: none; stroke-width: 2 }
.cluster { stroke: #0b7285; fill: #0b7285 }
.local { stroke: #9a6700; fill: #9a6700 }
polyline.cluster, polyline.local { fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb }
  .note { fill: #9aa5b1 }
  .grid { stroke: #3e4c59 }
  .cluster { stroke: #3bc9db; fill: #3bc9db }
  .local { stroke: #f0b429; fill: #f0b429 }
}`;

/** A plot, both axes logarithmic: flat is flat, and what doubles with what grows is a slope. */
export function plotOf({ title, label, series }: Growth): string {
  const points = series.flatMap((each) => each.points);
  const across = scaleOver(
    points.map(({ at }) => at),
    plot.left,
    plot.right,
  );
  const up = scaleOver(
    points.map(({ microseconds }) => microseconds),
    plot.bottom,
    plot.top,
  );
  const columns = [...new Set(points.map(({ at }) => at))].map((at) => {
    const x = across.of(at);
    const text = at >= 1_000_000 ? `${at / 1_000_000}M` : at.toLocaleString('en-US');
    return `<text class="note" x="${x}" y="${plot.bottom + 18}" text-anchor="middle">${text}</text>`;
  });
  const rows = up.decades.map((value) => {
    const y = up.of(value);
    const line = `<line class="grid" x1="${plot.left}" y1="${y}" x2="${plot.right}" y2="${y}"/>`;
    return `${line}<text class="note" x="${plot.left - 8}" y="${y + 4}" text-anchor="end">${numberText(value)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${title}</title>`,
    `<style>${style}\n</style>`,
    `<text class="title" x="0" y="18">${title} <tspan class="note">µs, less is better</tspan></text>`,
    ...rows,
    ...columns,
    `<text class="note" x="${(plot.left + plot.right) / 2}" y="${height - 8}" text-anchor="middle">${label}</text>`,
    ...series.map((each) => lineOf(each, across.of, up.of)),
    '</svg>',
    '',
  ].join('\n');
}

function lineOf({ place, points }: Series, x: (at: number) => number, y: (cost: number) => number): string {
  const places = points.map(({ at, microseconds }) => [x(at), y(microseconds)] as const);
  const last = places.at(-1);
  if (last === undefined) return '';
  const path = `<polyline class="line ${place}" points="${places.map((each) => each.join(',')).join(' ')}"/>`;
  const dots = places.map(([cx, cy]) => `<circle class="${place}" cx="${cx}" cy="${cy}" r="3"/>`).join('');
  const cost = numberText(points.at(-1)?.microseconds ?? Number.NaN);
  return `${path}${dots}<text x="${last[0] + 10}" y="${last[1] + 4}">${place} ${cost}</text>`;
}

/** Whole decades around the values, laid from one place to another. */
function scaleOver(values: readonly number[], from: number, to: number) {
  const usable = values.filter((value) => Number.isFinite(value) && value > 0);
  const low = Math.floor(Math.log10(Math.min(...usable, 1e9)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...usable, 1e-9)) - 1e-9));
  return {
    of: (value: number): number =>
      Math.round(from + ((Math.log10(value) - low) / (high - low)) * (to - from)),
    decades: Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step)),
  };
}
