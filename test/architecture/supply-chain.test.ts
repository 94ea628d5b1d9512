/** What comes along with Shoal when somebody installs it: everything, not what we depend on directly alone. */
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
}

const json = <T>(file: string): T => JSON.parse(readFileSync(`${root}${file}`, 'utf8')) as T;
const { packages } = json<{ packages: Readonly<Record<string, Locked>> }>('package-lock.json');

/** Every package of others that is installed for running, by its name. */
const installed = Object.entries(packages)
  .filter(([path, { dev, link }]) => path.includes('node_modules/') && dev !== true && link !== true)
  .map(([path, locked]) => ({ ...locked, name: path.slice(path.lastIndexOf('node_modules/') + 13) }));

/** Licences that ask for no more than to be named. */
const licences = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0'];

/** `(MIT OR GPL-3.0)` is fine with one of them, `(Apache-2.0 AND BSD-3-Clause)` with both. */
function isAllowed(licence: string = ''): boolean {
  const plain = licence.replaceAll(/[()]/g, '');
  return plain.split(' OR ').some((either) => either.split(' AND ').every((each) => licences.includes(each)));
}

test('every package has a licence that asks for no more than to be named', () => {
  expect(installed.length).toBeGreaterThan(50);
  expect(installed.filter(({ license }) => !isAllowed(license)).map(({ name }) => name)).toEqual([]);
});

test.each([
  ['(MIT OR GPL-3.0)', true],
  ['(Apache-2.0 AND BSD-3-Clause)', true],
  ['(MIT AND GPL-3.0)', false],
  ['AGPL-3.0', false],
  [undefined, false],
])('the licence %s is allowed: %s', (licence, allowed) => {
  expect(isAllowed(licence)).toBe(allowed);
});

test('every package is pinned by a hash of its content', () => {
  expect(
    installed.filter(({ integrity }) => !integrity?.startsWith('sha512-')).map(({ name }) => name),
  ).toEqual([]);
});

test('no package needs its install script: the two that have one are kept from running it', () => {
  const withScript = installed.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
  expect([...new Set(withScript)].toSorted()).toEqual(['esbuild', 'protobufjs']);
  const { allowScripts } = json<{ allowScripts: Readonly<Record<string, boolean>> }>('package.json');
  expect(withScript.map((name) => allowScripts[name])).toEqual(withScript.map(() => false));
});

test('no package of ours has an install script, for whoever installs them has no word of ours against it', () => {
  const manifests = globSync('{apps,libs}/*/package.json', { cwd: root });
  expect(manifests.length).toBeGreaterThan(8);
  const running = /^(pre|post)?install$|^prepare$/;
  const found = manifests.flatMap((file) =>
    Object.keys(json<{ scripts?: Readonly<Record<string, string>> }>(file).scripts ?? {})
      .filter((name) => running.test(name))
      .map((name) => `${file}: ${name}`),
  );
  expect(found).toEqual([]);
});

test('npm run sbom lists every one of them', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], {
    cwd: root,
    maxBuffer: 2 ** 26,
  });
  const { bomFormat, components } = JSON.parse(stdout) as {
    bomFormat: string;
    components: readonly { name: string; version: string; licenses?: readonly unknown[] }[];
  };
  expect(bomFormat).toBe('CycloneDX');
  const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
  // A package for another system is in the lock and not in what is installed here.
  const missing = installed.filter(({ name, version }) => !listed.has(`${name}@${version}`));
  expect(missing.map(({ name }) => name)).toEqual([]);
  expect(components.every(({ licenses = [] }) => licenses.length > 0)).toBe(true);
});

/** A row of the table of known holes in docs/dependencies.md. */
const knownHoles = [
  ...readFileSync(`${root}docs/dependencies.md`, 'utf8').matchAll(
    /^\| \[(GHSA(?:-\w{4}){3})\]\(https:\/\/github\.com\/advisories\/\1\).* \| (?:high|critical) \| `(.+?)` \| `(.+?)` \|/gm,
  ),
].map(([, advisory = '', name = '', ranges = '']) => ({ name, ranges, advisory }));

/** 1.14.7 as a number that is above that of 1.14.6. A version that says more than three numbers is of none of the ranges. */
const ordinal = (version: string): number =>
  version.split('.').reduce((sum, part) => sum * 100_000 + Number(part), 0);

/** Whether a version is in `<7.5.6, >=8.0.0 <8.0.2`: any of what has commas between, all of what has blanks. */
function isWithin(version: string, ranges: string): boolean {
  const holds = (bound: string): boolean => {
    const [, sign, than = ''] = /^(<|>=)(\d+\.\d+\.\d+)$/.exec(bound) ?? [];
    if (sign === undefined) throw new Error(`"${bound}" is no bound`);
    return sign === '<' ? ordinal(version) < ordinal(than) : ordinal(version) >= ordinal(than);
  };
  return ranges.split(', ').some((range) => range.split(' ').every(holds));
}

test.each([
  ['7.5.5', true],
  ['7.5.6', false],
  ['7.10.0', false],
  ['8.0.1', true],
  ['8.0.2', false],
  ['8.0.10', false],
])('that version %s has a hole of <7.5.6, >=8.0.0 <8.0.2 is %s', (version, has) => {
  expect(isWithin(version, '<7.5.6, >=8.0.0 <8.0.2')).toBe(has);
});

test('no package has a hole that docs/dependencies.md knows of, and every one that it knows of is of an installed package', () => {
  expect(knownHoles.length).toBeGreaterThan(15);
  const names = new Set(installed.map(({ name }) => name));
  expect(knownHoles.filter(({ name }) => !names.has(name))).toEqual([]);
  const found = installed.flatMap(({ name, version }) =>
    knownHoles
      .filter((hole) => hole.name === name && isWithin(version, hole.ranges))
      .map(({ advisory }) => `${name} ${version}: ${advisory}`),
  );
  expect(found).toEqual([]);
});

interface Audit {
  readonly counts?: Readonly<Record<string, number>> | undefined;
  /** Where there are no counts. Without the address that was asked: it is whoever runs this who chose it. */
  readonly why?: string;
}

/** What npm audit has found, or why it has not. */
function auditOf(output: string): Audit {
  let said: {
    readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
    readonly statusCode?: unknown;
    readonly error?: { readonly code?: unknown };
  };
  try {
    said = JSON.parse(output);
  } catch {
    return { why: 'npm audit was not answered in time' };
  }
  const { error, metadata, statusCode } = said;
  if (typeof statusCode === 'number') {
    return { why: `the registry in use answered npm audit with ${statusCode}: it has no audit` };
  }
  const [code = 'nothing said why'] = /^E[A-Z_]+$/.exec(String(error?.code)) ?? [];
  return { counts: metadata?.vulnerabilities, why: `npm audit was not answered (${code})` };
}

test.each([
  ['{"metadata":{"vulnerabilities":{"high":2}}}', { counts: { high: 2 } }],
  [
    '{"message":"405 Method Not Allowed - POST https://host.example/","statusCode":405,"error":{}}',
    { why: 'the registry in use answered npm audit with 405: it has no audit' },
  ],
  ['{"error":{"code":"ENOTFOUND"}}', { why: 'npm audit was not answered (ENOTFOUND)' }],
  ['{"error":{}}', { why: 'npm audit was not answered (nothing said why)' }],
  ['', { why: 'npm audit was not answered in time' }],
])('what npm audit says is taken as it is meant: %s', (output, audit) => {
  expect(auditOf(output)).toMatchObject(audit);
});

/** Somebody without a network, or with a registry that knows of no advisories, cannot be told. */
test('npm audit knows of nothing high or critical; where it is not answered, this is skipped', async ({
  skip,
}) => {
  const args = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=10000'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: root, timeout: 30_000 }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  const { counts, why } = auditOf(stdout);
  // Never passed in silence: what nobody looked at is counted as skipped, with the reason.
  if (counts === undefined) skip(`advisories were not looked for: ${why}`);
  expect(counts).toMatchObject({ high: 0, critical: 0 });
});
