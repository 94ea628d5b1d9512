import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, TlsFolder } from '@shoal/credentials';
import { ClusterProcesses } from '../../../examples/demo/cluster-processes.ts';
import { type Peer, type Setting, shoalPeer, tasksUrl } from '../peer.ts';

/** Shoal's cluster where everybody shows a certificate: mutual TLS 1.3 on every connection. */
export const shoalClusterTls: Peer = shoalPeer('Shoal cluster, mutual TLS', 'shoal-cluster-tls');

export async function start({ task, processes }: Setting) {
  const { connect } = await import('shoal');
  const names = Array.from({ length: processes }, (_, index) => `agent-${index + 1}`);
  const tlsDir = await mkdtemp(join(tmpdir(), 'shoal-bench-tls-'));
  await makeCertificates(tlsDir, names);
  const cluster = await ClusterProcesses.start(names, 1, tlsDir);
  const [ca, cert, key] = ['ca.crt', 'client.crt', 'client.key'].map((file) => join(tlsDir, file));
  const pool = await connect(cluster.address, { tls: { ca, cert, key } });
  return {
    map: (items: readonly unknown[]) => pool.map(tasksUrl, items, { export: task }),
    close: async () => {
      await pool.terminate();
      await cluster.stop();
      await rm(tlsDir, { recursive: true, force: true });
    },
  };
}

/** What `shoal certs init` and `shoal certs issue` write. */
async function makeCertificates(tlsDir: string, agents: readonly string[]): Promise<void> {
  const authority = await CertificateAuthority.create();
  const folder = new TlsFolder(tlsDir);
  const coordinator = await authority.issueCoordinator(['127.0.0.1']);
  await folder.write('coordinatorKey', coordinator.key);
  await folder.write('coordinator', coordinator.cert);
  const issue = async (to: TlsFolder, name: string, role: 'admin' | 'agent'): Promise<void> => {
    const { cert, key } = await authority.issueIdentity({ name, role });
    await to.write('authority', authority.cert);
    await to.write('clientKey', key);
    await to.write('client', cert);
  };
  await issue(folder, 'bench', 'admin');
  for (const name of agents) await issue(new TlsFolder(join(tlsDir, 'issued', name)), name, 'agent');
}
