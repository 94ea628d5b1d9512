import { existsSync } from 'node:fs';
import {
  CertificateAuthority,
  canonicalHost,
  certificateFacts,
  isHost,
  machineHosts,
  TlsFolder,
} from '@shoal/credentials';
import { usageError } from '../usage-error.ts';

/** What `shoal certs init` is asked for. */
export interface InitRequest {
  readonly tlsDir: string;
  /** Beside those of this machine. */
  readonly hosts: readonly string[];
}

/** Makes what is missing and renews the rest; resolves to what there is to say. */
export async function initCerts({ tlsDir, hosts: asked }: InitRequest): Promise<string> {
  const wrong = asked.find((host) => !isHost(host));
  if (wrong !== undefined)
    throw usageError(`--name ${wrong} is no host name or address`, 'Leave scheme and port out.');
  const folder = new TlsFolder(tlsDir);
  const { authority, isNew } = await authorityIn(folder);
  const before = await folder.findReplaceable('coordinator');
  const isLost = before === undefined && existsSync(folder.pathOf('coordinator'));
  // Names that were asked for once are kept: whoever renews a certificate does not remember them.
  const known = before === undefined ? [] : certificateFacts(before).hosts;
  const hosts = [...new Set([...machineHosts(), ...known.filter(isHost), ...asked].map(canonicalHost))];
  await folder.writePair('coordinator', await authority.issueCoordinator(hosts));
  const admin = { name: 'admin', role: 'admin' } as const;
  const afterMs = (await folder.revoked.list()).untilMs(admin);
  await folder.writePair('client', await authority.issueIdentity(admin, { afterMs }));
  const { validToMs } = certificateFacts(await folder.read('coordinator'));
  const until = dayOf(validToMs);
  const endsWithAuthority = certificateFacts(await folder.read('authority')).validToMs <= validToMs;
  return [
    `${tlsDir}: ${isNew ? 'a new authority' : 'the authority that was there'}, and new certificates until ${until}`,
    `  for a coordinator that is reached as ${hosts.join(', ')}`,
    ...(endsWithAuthority
      ? [
          `  not longer, for the authority itself ends then: before that, make a new one (docs/several-machines.md, Later)`,
        ]
      : []),
    ...(isLost
      ? [
          `  ${folder.pathOf('coordinator')} was no certificate: names that it had beside those must be given again, with --name`,
        ]
      : []),
    '  for you, as its admin (client.crt)',
    'Whoever reads ca.key or client.key is you: keep them here.',
    '',
    `  shoal coordinator --listen 0.0.0.0:7300 --tls-dir ${tlsDir}`,
    `  shoal token create --role agent --ttl 15m --tls-dir ${tlsDir} --output join-token    for each agent`,
    `  shoal certs issue NAME --role client --tls-dir ${tlsDir}                            for each person`,
    '',
  ].join('\n');
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

async function authorityIn(folder: TlsFolder): Promise<{ authority: CertificateAuthority; isNew: boolean }> {
  await folder.finishPair('authority');
  const [cert, key] = [await folder.find('authority'), await folder.find('authorityKey')];
  if (cert !== undefined && key !== undefined)
    return { authority: folder.authorityOf(cert, key), isNew: false };
  if (cert !== undefined) {
    // Another authority would turn away everybody who holds a certificate of this one.
    throw usageError(
      `${folder.path} has an authority (ca.crt) but not its key (ca.key), so nothing can be signed here`,
      'Run it where ca.key is, or name an empty folder.',
    );
  }
  if (key !== undefined) {
    // Written over it is gone for good, and with it whatever else its authority was to sign.
    throw usageError(
      `${folder.path} has the key of an authority (ca.key) but not its certificate (ca.crt)`,
      'Copy ca.crt there from the folder of any agent or client of that cluster, or name an empty folder for a new one.',
    );
  }
  const authority = await CertificateAuthority.create();
  await folder.writePair('authority', authority);
  return { authority, isNew: true };
}
