import { existsSync } from 'node:fs';
import { certificateFacts, type PairedFile, type TlsFile, TlsFolder, tlsFiles } from '@shoal/credentials';
import { durationText } from '@shoal/errors';
import type { Finding } from './finding.ts';

const soonMs = 7 * 86_400_000;
/** A certificate of an agent that joined with a token is renewed by it when half of its life is over. */
const selfRenewedMs = 2 * 86_400_000;

const makers: Readonly<Partial<Record<TlsFile, string>>> = {
  authority: 'make a new authority in an empty folder: shoal certs init',
  coordinator: 'run shoal certs init there again',
  client: 'run shoal certs issue where the certificates were made, or join with a new token',
};

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
      findings.push(revoked ?? expiry(what, file, pem, nowMs));
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
  const list = await folder.revocations().catch(() => undefined);
  if (list?.has(certificateFacts(pem)) !== true) return undefined;
  // What lies beside the key of the authority is its admin's, which certs init makes.
  const isMadeHere = existsSync(folder.pathOf('authorityKey'));
  const maker = makers[isMadeHere ? 'coordinator' : 'client'] ?? '';
  const says = `it was revoked (${folder.revokedPath}), and is turned away; ${maker}`;
  return { what: folder.pathOf('client'), state: 'broken', says };
}

/** What is wrong with the list of certificates that are good no more. */
async function listFindings(folder: TlsFolder): Promise<Finding[]> {
  try {
    await folder.revocations();
    return [];
  } catch (error) {
    return [{ what: folder.revokedPath, state: 'broken', says: (error as Error).message }];
  }
}

function expiry(what: string, file: TlsFile, pem: string, nowMs: number): Finding {
  const { validFromMs, validToMs } = certificateFacts(pem);
  const until = new Date(validToMs).toISOString();
  const maker = makers[file] ?? '';
  if (validToMs <= nowMs) return { what, state: 'broken', says: `it expired on ${until}; ${maker}` };
  if (validFromMs > nowMs) {
    return { what, state: 'broken', says: 'it is not good yet; compare the clocks of both machines' };
  }
  const isSoon = validToMs - nowMs < soonMs && validToMs - validFromMs > selfRenewedMs;
  const left = durationText(validToMs - nowMs);
  return isSoon
    ? { what, state: 'warning', says: `it expires in ${left}; ${maker}` }
    : { what, state: 'ok', says: `good until ${until}` };
}
