import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { certificateFacts, type PairedFile, TlsFolder, tlsFiles } from '@shoal/credentials';
import { durationText } from '@shoal/errors';
import type { Finding } from './finding.ts';

const soonMs = 7 * 86_400_000;
/** A certificate of an agent that joined with a token is renewed by it when half of its life is over. */
const selfRenewedMs = 2 * 86_400_000;

const ask = 'ask whoever runs the cluster';

/** What makes a certificate anew: a command where the key of the authority lies, and who has it elsewhere. */
function remedyFor(folder: TlsFolder, file: PairedFile | 'authority', pem: string): string {
  const hasAuthority = (at: TlsFolder): boolean => existsSync(at.pathOf('authorityKey'));
  const isMadeHere = hasAuthority(folder);
  if (file === 'authority') {
    return isMadeHere
      ? 'make a new authority in an empty folder: shoal certs init'
      : `${ask} for another, and for a certificate that it has signed`;
  }
  // Beside the key of the authority lies what its admin has.
  if (isMadeHere) return `run shoal certs init --tls-dir ${folder.path}`;
  if (file === 'coordinator') return 'run shoal certs init where ca.key lies, and copy it from there';
  const { name = 'NAME', role = 'ROLE' } = certificateFacts(pem).identity ?? {};
  const issue = `shoal certs issue ${name} --role ${role}`;
  // That of a name lies in the folder of whoever issued it until it is copied to its machine.
  const issued = dirname(resolve(folder.path));
  const above = new TlsFolder(dirname(issued));
  if (basename(issued) === 'issued' && hasAuthority(above))
    return `run ${issue} --tls-dir ${above.path}, and copy the folder to its machine`;
  if (role !== 'agent') return `${ask} for another: ${issue}`;
  return `${ask} for a token to join with (shoal token create --name ${name}), or for another: ${issue}`;
}

/** Until when the certificates of a folder are good. Those that are not there are not missed. */
export async function certificateFindings(path: string, nowMs: number): Promise<Finding[]> {
  const folder = new TlsFolder(path);
  const findings: Finding[] = [];
  for (const file of ['authority', 'coordinator', 'client'] as const) {
    const what = folder.pathOf(file);
    try {
      const pem = await folder.find(file);
      if (pem === undefined) continue;
      await checkKey(folder, file, pem);
      if (file !== 'authority') await checkSigned(folder, file, pem);
      const revoked = file === 'client' ? await revocation(folder, pem) : undefined;
      findings.push(revoked ?? expiry(what, pem, nowMs, () => remedyFor(folder, file, pem)));
    } catch (error) {
      findings.push({ what, state: 'broken', says: (error as Error).message });
    }
  }
  findings.push(...(await listFindings(folder)));
  for (const { path: what, says } of await folder.exposedKeys())
    findings.push({ what, state: 'broken', says });
  if (findings.length > 0) return findings;
  const names = [tlsFiles.authority, tlsFiles.coordinator, tlsFiles.client].join(', ');
  return [{ what: path, state: 'broken', says: `there is none of ${names}; shoal certs init makes them` }];
}

/** A certificate without a key can be looked at all the same; one with the key of another opens nothing. Throws why. */
async function checkKey(folder: TlsFolder, file: PairedFile | 'authority', pem: string): Promise<void> {
  const key = await folder.find(`${file}Key`);
  if (key === undefined) return;
  if (file === 'authority') folder.authorityOf(pem, key);
  else await folder.findPair(file);
}

/** What ca.crt holds is told on its own. */
async function checkSigned(folder: TlsFolder, file: PairedFile, pem: string): Promise<void> {
  const ca = await folder.findReplaceable('authority');
  if (ca !== undefined) folder.checkSigned(file, pem, ca);
}

/** Where a coordinator with this folder turns the certificate away; a list that cannot be read is told on its own. */
async function revocation(folder: TlsFolder, pem: string): Promise<Finding | undefined> {
  const list = await folder.revoked.list().catch(() => undefined);
  if (list?.has(certificateFacts(pem)) !== true) return undefined;
  const says = `it was revoked (${folder.revoked.path}), and is turned away; ${remedyFor(folder, 'client', pem)}`;
  return { what: folder.pathOf('client'), state: 'broken', says };
}

/** What is wrong with the list of certificates that are good no more. */
async function listFindings(folder: TlsFolder): Promise<Finding[]> {
  try {
    await folder.revoked.list();
    return [];
  } catch (error) {
    return [{ what: folder.revoked.path, state: 'broken', says: (error as Error).message }];
  }
}

function expiry(what: string, pem: string, nowMs: number, remedy: () => string): Finding {
  const { validFromMs, validToMs } = certificateFacts(pem);
  const until = new Date(validToMs).toISOString();
  if (validToMs <= nowMs) return { what, state: 'broken', says: `it expired on ${until}; ${remedy()}` };
  if (validFromMs > nowMs) {
    return { what, state: 'broken', says: 'it is not good yet; compare the clocks of both machines' };
  }
  const isSoon = validToMs - nowMs < soonMs && validToMs - validFromMs > selfRenewedMs;
  const left = durationText(validToMs - nowMs);
  return isSoon
    ? { what, state: 'warning', says: `it expires in ${left}; ${remedy()}` }
    : { what, state: 'ok', says: `good until ${until}` };
}
