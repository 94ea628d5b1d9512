/**
 * Why a TLS connection did not come to be, in plain words.
 *
 * grpc-js hands on the message of an error and nothing else, so the words and what to do about it travel inside of it.
 */

/** What is wrong, and what to do about it. */
export interface TlsComplaint {
  readonly reason: string;
  readonly hint: string;
}

const untrusted: TlsComplaint = {
  reason: 'its certificate was not signed by the authority that is trusted here (another ca.crt)',
  hint: 'Take ca.crt from the folder where the certificates of that very cluster were made.',
};
const noTls: TlsComplaint = {
  reason: 'what listens there speaks no TLS',
  hint: 'Start it with --tls-dir; or connect without tls, if it is meant to be open.',
};

/** By the codes of Node and OpenSSL. */
const complaints: Readonly<Record<string, TlsComplaint>> = {
  CERT_HAS_EXPIRED: {
    reason: 'its certificate has expired',
    hint: 'Where the certificates were made, run shoal certs init again: it makes a new one, which is used without a restart.',
  },
  CERT_NOT_YET_VALID: {
    reason: 'its certificate is not good yet',
    hint: 'Compare the clocks of both machines.',
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  INVALID_CA: untrusted,
  INVALID_PURPOSE: {
    reason: 'its certificate is not one of a coordinator',
    hint: 'Somebody else listens there; look at the address.',
  },
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: {
    reason: 'it speaks no TLS 1.3',
    hint: 'Look at what listens there: a coordinator does.',
  },
};

const mark = 'TLS failed';

/** As Node throws it. */
type Failure = Error & { readonly code?: string; readonly cert?: { readonly subjectaltname?: string } };

/** The error of a handshake, with the words in its message where there are some for it. */
export function tlsError(error: Failure, host: string): Error {
  const complaint =
    error.code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? wrongName(error, host) : complaints[error.code ?? ''];
  if (complaint === undefined) return error;
  return told(complaint, error);
}

function told({ hint, reason }: TlsComplaint, cause?: Error): Error {
  return new Error(`${mark}: ${JSON.stringify([reason, hint])}`, cause === undefined ? undefined : { cause });
}

function wrongName(error: Failure, host: string): TlsComplaint {
  const names = (error.cert?.subjectaltname ?? 'another host').replaceAll(/DNS:|IP Address:/g, '');
  return {
    reason: `its certificate is not for ${host}, but for ${names.slice(0, 300)}`,
    hint: `Use one of these names; or run shoal certs init --name ${host} where the certificates were made.`,
  };
}

/** An address that not everybody reads alike is compared with no certificate. */
export function oddAddress(host: string): Error {
  const reason = `${host} is neither a name nor an address that everybody reads alike, so no certificate can be compared with it`;
  const hint =
    'Write the four numbers of the address in full, such as 127.0.0.1, or the name of the machine.';
  return told({ reason, hint });
}

/** The server speaks TLS and we did not. */
export const needsTls: TlsComplaint = {
  reason: 'it speaks TLS, and this side did not',
  hint: 'Give --tls-dir and the folder with your certificate (tls in code), or SHOAL_TLS_DIR.',
};

/** Finds the words of {@link tlsError} in what grpc-js says of a failed call. */
export function tlsComplaintIn(details: string): TlsComplaint | undefined {
  const [, written] = /TLS failed: (\["(?:[^"\\]|\\.)*","(?:[^"\\]|\\.)*"\])/.exec(details) ?? [];
  if (written === undefined) return undefined;
  const [reason = '', hint = ''] = JSON.parse(written) as string[];
  return { reason, hint };
}
