import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FencedBlock, fencedBlocks } from './fenced-blocks.testkit.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const blocks = fencedBlocks(readFileSync(join(root, 'README.md'), 'utf8'));
const scripts: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
).scripts;

// A folder inside the repository, so that `import 'shoal'` is found; without a build, from the sources.
const folder = join(root, '.build', 'readme');
const bin = join(folder, 'bin');
const env = {
  ...process.env,
  SHOAL_ADDRESS: '',
  NO_COLOR: '1',
  NODE_OPTIONS: '--conditions=@shoal/source',
  PATH: `${bin}:${dirname(process.execPath)}:${process.env['PATH']}`,
};

const background: ChildProcess[] = [];

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  cpSync(join(root, 'examples', 'square.ts'), join(folder, 'examples', 'square.ts'));
  symlinkSync(join(root, 'test/shoal.js'), join(bin, 'shoal'));
});

afterAll(async () => {
  for (const each of background) {
    each.kill('SIGTERM');
    if (each.exitCode === null && each.signalCode === null) await once(each, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

/** What differs from run to run and from machine to machine, made the same. */
function plain(text: string): string {
  return (
    text
      // A machine that is busy with other things shows how far it is, and what it waits for.
      .replace(/^\d.* items.* a second.*\n|^shoal: coordinator \S+ does not answer yet; .*\n/gm, '')
      .replace(/pid[= ]\d+/g, 'pid=N')
      .replace(/^(agent-\d +\S+ +\S+ +)\S+/gm, '$1HOST')
      .replace(/ {2,}/g, ' ')
      .replace(/\s+$/gm, '')
      .trim()
  );
}

async function bash(text: string): Promise<{ readonly output: string; readonly exitCode: number | null }> {
  const shell = spawn('bash', ['-c', `set -o pipefail\n${text}`], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  shell.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  shell.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const [exitCode] = await once(shell, 'close');
  return { output, exitCode };
}

/** Starts what runs beside the reader, and waits until it has said where it listens. */
async function startBackground(text: string): Promise<void> {
  const shell = spawn('bash', ['-c', `exec ${text}`], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  background.push(shell);
  let output = '';
  for await (const chunk of shell.stdout) {
    output += String(chunk);
    if (output.includes('Ctrl-C ends it.')) return;
  }
  throw new Error(`${text} ended: ${output}`);
}

/** Commands that install, test or take the whole machine; each is run elsewhere. */
const isScript = ({ text }: FencedBlock): boolean => /^npm (run|test)/.test(text);

describe('every block of the README', () => {
  blocks.forEach((block, position) => {
    const { language, title, text, line } = block;
    if (language === 'ts') {
      test(`line ${line}: ${title} is a program`, () => {
        expect(title).toMatch(/^[\w-]+\.ts$/);
        writeFileSync(join(folder, title), text);
      });
    } else if (language === 'bash' && title === 'background') {
      test(`line ${line}: ${text.trim()} runs`, () => startBackground(text.trim()));
    } else if (language === 'bash' && isScript(block)) {
      test(`line ${line}: ${text.trim()} is a script of this repository`, () => {
        const [, name = 'test'] = /^npm run (\S+)/.exec(text) ?? [];
        expect(scripts[name]).toBeDefined();
      });
    } else if (language === 'bash') {
      test(`line ${line}: ${text.trim().split('\n')[0]} does what it says`, async () => {
        const { output, exitCode } = await bash(text);
        const next = blocks[position + 1];
        expect(exitCode, output).toBe(0);
        if (next?.language === 'text') expect(plain(output)).toBe(plain(next.text));
      });
    }
  });
});

describe('the documents', () => {
  const documents = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'libs/shoal/README.md',
  ];
  test.each(documents)('%s links to nothing that is not there', (name) => {
    const text = readFileSync(join(root, name), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map(([, link]) => link ?? '');
    const missing = links.filter(
      (link) => !/^https?:/.test(link) && !existsSync(join(root, dirname(name), link)),
    );
    expect(missing).toEqual([]);
  });

  test('every file that ARCHITECTURE names is there', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const named = [...text.matchAll(/`((?:libs|apps|tools)\/[\w/.-]+\.ts)`/g)].map(([, path]) => path ?? '');
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
