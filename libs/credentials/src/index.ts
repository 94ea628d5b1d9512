/** Who is who in a cluster: certificates, tokens, roles, and the files that hold them. */

export { type Discovery, discoverAuthority } from './authority-discovery.ts';
export {
  CertificateAuthority,
  type CertifiedKey,
  lifetimesMs,
  type Validity,
} from './certificate-authority.ts';
export { type CertificateFacts, certificateFacts, certificateFingerprint } from './certificate-facts.ts';
export { type CertificateRequest, createCertificateRequest, requestedKey } from './certificate-request.ts';
export { logRedaction } from './log-redaction.ts';
export { canonicalHost, isHost, machineHosts } from './machine-hosts.ts';
export {
  asSerial,
  parseRevocations,
  type RevocableCertificate,
  type Revocation,
  RevocationList,
  revocationLine,
} from './revocation-list.ts';
export {
  type CertifiedIdentity,
  identityOfSubject,
  isIdentityName,
  isRole,
  type Role,
  roles,
  type SubjectFields,
} from './role.ts';
export {
  defaultAgentTlsDir,
  type PairedFile,
  type TlsFile,
  TlsFolder,
  tlsFiles,
} from './tls-folder.ts';
export {
  type BearerToken,
  bearerLine,
  digestOf,
  formatJoinToken,
  type JoinToken,
  looksLikeToken,
  newSecret,
  parseBearerTokens,
  parseJoinToken,
  sameDigest,
} from './token.ts';
export { readTokenFile, type TokenFileLimit } from './token-file.ts';
export { replaceFile } from './whole-file.ts';
