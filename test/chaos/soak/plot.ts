import { type Soaked, series } from './findings.ts';
import type { Series } from './flatness.ts';
import { watched } from './sampler.ts';
import { agentNames, type Target } from './schedule.ts';

const [width, height] = [900, 150];
const [left, right, top, gap] = [60, 130, 20, 46];
const laneHeight = 16;
const lanes: readonly Target[] = ['coordinator', 'client', ...agentNames];

const style = `
text { font: 12px system-ui, sans-serif; fill: #1f2933 }
.title { font-weight: 600; font-size: 14px }
.note { fill: #7b8794 }
.line { fill: none; stroke-width: 1.5 }
.axis { stroke: #cbd2d9; stroke-width: 1 }
.s0 { stroke: #0b7285; fill: #0b7285 } .s1 { stroke: #d9480f; fill: #d9480f } .s2 { stroke: #5f3dc4; fill: #5f3dc4 }
.s3 { stroke: #2b8a3e; fill: #2b8a3e } .s4 { stroke: #a61e4d; fill: #a61e4d } .s5 { stroke: #868e96; fill: #868e96 }
.line.s0, .line.s1, .line.s2, .line.s3, .line.s4, .line.s5 { fill: none }
.name { stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb }
  .note { fill: #9aa5b1 }
  .axis { stroke: #3e4c59 }
}`;

/** Items done, faults, memory and descriptors over time, one above the other. */
export function plotOf(soaked: Soaked): string {
  const { samples, tookMs } = soaked;
  const x = (atMs: number): number => tenth(left + (atMs / tookMs) * (width - left - right));
  const of = (name: string, value: Parameters<typeof series>[3]): Series => series(samples, name, '', value);
  const panels = [
    lines('Items with an outcome', [of('done', ({ done }) => done)], x),
    marks(soaked, x),
    lines(
      'Resident memory, MiB',
      [
        ...watched.map((name) => of(name, ({ needs }) => needs[name]?.rssMiB)),
        of('a child', ({ childRssMiB }) => childRssMiB),
      ],
      x,
    ),
    lines(
      'Open file descriptors',
      watched.map((name) => of(name, ({ needs }) => needs[name]?.descriptors)),
      x,
    ),
  ];
  let y = top;
  const placed = panels.map(({ body, tall }) => {
    const at = `<g transform="translate(0 ${y})">\n${body}\n${minutes(tall, tookMs, x)}\n</g>`;
    y += tall + gap;
    return at;
  });
  const size = `viewBox="0 0 ${width} ${y}" width="${width}" height="${y}"`;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`;
  const title = '<title>Items, faults, memory and descriptors over time</title>';
  return [open, title, `<style>${style}\n</style>`, ...placed, '</svg>', ''].join('\n');
}

interface Panel {
  readonly body: string;
  readonly tall: number;
}

type Scale = (atMs: number) => number;

function lines(title: string, all: readonly Series[], x: Scale): Panel {
  const most = Math.max(1, ...all.flatMap(({ points }) => points.map(({ value }) => value)));
  const y = (value: number): number => tenth(height - (value / most) * (height - 20));
  const drawn = all.map(({ points }, at) => {
    const path = points.map(({ atMs, value }) => `${x(atMs)},${y(value)}`).join(' ');
    return `<polyline class="line s${at}" points="${path}"/>`;
  });
  // Names stand where their lines end, and apart from each other.
  const ends = all
    .map(({ name, points }, at) => ({ name, at, y: y(points.at(-1)?.value ?? 0) + 4 }))
    .sort((a, b) => a.y - b.y);
  for (const [at, end] of ends.entries()) end.y = Math.max(end.y, (ends[at - 1]?.y ?? -20) + 13);
  const low = Math.max(0, (ends.at(-1)?.y ?? 0) - height - 4);
  const names = ends.map(
    ({ at, name, y }) =>
      `<text class="name s${at}" x="${width - right + 6}" y="${tenth(y - low)}">${name}</text>`,
  );
  const scale = [most, most / 2, 0].map(
    (value) =>
      `<text class="note" x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`,
  );
  return { body: [heading(title), ...scale, ...drawn, ...names].join('\n'), tall: height };
}

function marks({ faults, tookMs }: Soaked, x: Scale): Panel {
  const struck = faults.filter(({ missed }) => missed === undefined);
  const drawn = struck.map(({ endedMs, kind, struckMs, target }) => {
    const lane = lanes.indexOf(target);
    const wide = tenth(Math.max(1.5, x(Math.min(endedMs, tookMs)) - x(struckMs)));
    const place = `x="${x(struckMs)}" y="${8 + lane * laneHeight}" width="${wide}" height="${laneHeight - 5}"`;
    return `<rect class="s${lane}" stroke="none" ${place}><title>${kind}</title></rect>`;
  });
  const names = lanes.map((name, at) => {
    const [y, right] = [18 + at * laneHeight, `x="${width - 124}"`];
    return `<text class="name s${at}" ${right} y="${y}">${name}</text>`;
  });
  const title = heading(`${struck.length} faults, from their strike until all is mended`);
  return { body: [title, ...drawn, ...names].join('\n'), tall: lanes.length * laneHeight + 10 };
}

function minutes(tall: number, tookMs: number, x: Scale): string {
  const every = tookMs > 600_000 ? 5 : tookMs > 120_000 ? 1 : 0.5;
  const count = Math.floor(tookMs / (every * 60_000));
  const ticks = Array.from({ length: count + 1 }, (_, at) => {
    const text = at === count ? `${at * every} min` : String(at * every);
    return `<text class="note" x="${x(at * every * 60_000)}" y="${tall + 16}" text-anchor="middle">${text}</text>`;
  });
  const axis = `<line class="axis" x1="${left}" x2="${width - right}" y1="${tall}" y2="${tall}"/>`;
  return [axis, ...ticks].join('\n');
}

const heading = (text: string): string => `<text class="title" x="${left}" y="-4">${text}</text>`;
const tenth = (value: number): number => Math.round(value * 10) / 10;
const short = (value: number): string =>
  value >= 10_000 ? `${Math.round(value / 1000)}k` : String(Math.round(value));
