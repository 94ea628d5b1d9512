import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { CertificateAuthority } from './certificate-authority.ts';
import { certificateFacts } from './certificate-facts.ts';
import { createCertificateRequest } from './certificate-request.ts';

let authority: CertificateAuthority;
beforeAll(async () => {
  authority = await CertificateAuthority.create();
});

const dayMs = 86_400_000;

test("the coordinator's certificate is good for its names and addresses, and for nobody as a client", async () => {
  const { cert } = await authority.issueCoordinator(['coordinator', '10.0.0.5', '::1']);
  const leaf = new X509Certificate(cert);
  expect(leaf.checkHost('coordinator')).toBe('coordinator');
  expect(leaf.checkIP('10.0.0.5')).toBe('10.0.0.5');
  expect(leaf.checkHost('elsewhere')).toBeUndefined();
  expect(leaf.keyUsage, 'serverAuth and no more').toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(certificateFacts(cert).identity).toBeUndefined();
});

test('an identity has its name and role in the certificate, which the authority has signed', async () => {
  const { cert, key } = await authority.issueIdentity({ name: 'rack2-b', role: 'agent' });
  const leaf = new X509Certificate(cert);
  expect(certificateFacts(cert).identity).toEqual({ name: 'rack2-b', role: 'agent' });
  expect(leaf.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
  expect(leaf.keyUsage, 'clientAuth and no more').toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(key).toContain('BEGIN PRIVATE KEY');
  expect(cert.match(/BEGIN CERTIFICATE/g), 'the chain goes to its end').toHaveLength(2);
});

test('a key of another authority is refused: nobody would trust what it signs', async () => {
  const other = await CertificateAuthority.create();
  expect(() => new CertificateAuthority(authority.cert, other.key)).toThrow(
    expect.objectContaining({
      code: 'FILE_NOT_USABLE',
      message: expect.stringMatching(/^ca\.key: it is not the key of ca\.crt/),
    }),
  );
});

test('a request is answered for whom the authority says, with the key that stayed at home', async () => {
  const nowMs = Date.now();
  const { request, key } = await createCertificateRequest();
  const cert = await authority.answer(request, { name: 'agent-7', role: 'agent' }, { nowMs });
  const { identity, validFromMs, validToMs } = certificateFacts(cert);
  expect(identity).toEqual({ name: 'agent-7', role: 'agent' });
  expect(new X509Certificate(cert).checkPrivateKey((await import('node:crypto')).createPrivateKey(key))).toBe(
    true,
  );
  expect(validToMs - nowMs).toBeGreaterThan(dayMs - 2_000);
  expect(validToMs - nowMs).toBeLessThanOrEqual(dayMs);
  expect(nowMs - validFromMs, 'clocks differ').toBeGreaterThanOrEqual(5 * 60_000);
});

test.each(['', 'nonsense', '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----'])(
  'what is no request (%j) is refused by name',
  async (request) => {
    await expect(authority.answer(request, { name: 'a', role: 'agent' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('certificate_request'),
    });
  },
);

test.each(['', 'two words', 'a/b', 'x'.repeat(101), 'a,OU=admin'])('%j is no name', async (name) => {
  await expect(authority.issueIdentity({ name, role: 'agent' })).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
  });
});

test('no certificate outlives its authority', async () => {
  const end = certificateFacts(authority.cert).validToMs;
  const { cert } = await authority.issueIdentity(
    { name: 'late', role: 'viewer' },
    { nowMs: end - dayMs, lifetimeMs: 365 * dayMs },
  );
  expect(certificateFacts(cert).validToMs).toBe(end);
});

test('a certificate that may sign nothing is no authority', async () => {
  const { cert, key } = await authority.issueIdentity({ name: 'laptop', role: 'admin' });
  expect(() => new CertificateAuthority(cert, key)).toThrow(/nobody who may sign/);
});
