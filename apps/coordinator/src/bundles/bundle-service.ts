import type {
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import {
  type BundleHeader,
  type BundleServiceServer,
  FlowControlledWriter,
  type GetBundleRequest,
  type GetBundleResponse,
  type HasBundlesRequest,
  type HasBundlesResponse,
  type LimitName,
  type ListBundlesRequest,
  type ListBundlesResponse,
  type NameBundleRequest,
  type NameBundleResponse,
  type PutBundleRequest,
  type PutBundleResponse,
  statusOf,
} from '@shoal/protocol';
import type { EventFeed } from '../watch/event-feed.ts';
import type { BundleStore } from './bundle-store.ts';

/** Takes bundles in and gives them out, in parts; hears of each that takes more than one. */
export function bundleService(
  store: BundleStore,
  feed: EventFeed,
  partBytes: number,
  onCut: () => void,
): BundleServiceServer {
  return {
    hasBundles: (
      call: ServerUnaryCall<HasBundlesRequest, HasBundlesResponse>,
      respond: sendUnaryData<HasBundlesResponse>,
    ): void => {
      respond(null, { missingSha256: call.request.sha256.filter((sha256) => !store.has(sha256)) });
    },

    putBundle: (
      call: ServerReadableStream<PutBundleRequest, PutBundleResponse>,
      respond: sendUnaryData<PutBundleResponse>,
    ): void => {
      receiveBundle(call, store).then(
        ({ sha256, size, existed }) => {
          if (!existed) {
            feed.tell('bundle.stored', { sha256, bytes: size }, `bundle ${sha256.slice(0, 12)} is kept`);
          }
          respond(null, { existed });
        },
        (error: unknown) => respond(statusOf(error)),
      );
    },

    getBundle: (call: ServerWritableStream<GetBundleRequest, GetBundleResponse>): void => {
      sendBundle(call, store, partBytes, onCut).catch((error: unknown) =>
        call.emit('error', statusOf(error)),
      );
    },

    nameBundle: (
      call: ServerUnaryCall<NameBundleRequest, NameBundleResponse>,
      respond: sendUnaryData<NameBundleResponse>,
    ): void => {
      const { name, version, sha256 } = call.request;
      store.name(name, version, sha256).then(
        () => {
          const bundle = `${name}@${version}`;
          feed.tell('bundle.named', { name: bundle, sha256 }, `${bundle} is bundle ${sha256.slice(0, 12)}`);
          respond(null, { bundle });
        },
        (error: unknown) => respond(statusOf(error)),
      );
    },

    listBundles: (
      _call: ServerUnaryCall<ListBundlesRequest, ListBundlesResponse>,
      respond: sendUnaryData<ListBundlesResponse>,
    ): void => {
      respond(null, { bundles: store.list() });
    },
  };
}

interface Received {
  readonly sha256: string;
  readonly size: number;
  readonly existed: boolean;
}

async function receiveBundle(
  call: ServerReadableStream<PutBundleRequest, PutBundleResponse>,
  store: BundleStore,
): Promise<Received> {
  let header: BundleHeader | undefined;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const { message } of call as AsyncIterable<PutBundleRequest>) {
    if (message?.$case === 'header' && header === undefined) {
      header = message.value;
      // Refused by what it says of itself, before its bytes are here.
      if (!/^[0-9a-f]{64}$/.test(header.sha256)) throw invalid('header.sha256', 'is no SHA-256');
      store.checkSize(header.size);
    } else if (message?.$case === 'part' && header !== undefined) {
      bytes += message.value.byteLength;
      if (bytes > header.size) throw invalid('part', `makes more than the ${header.size} bytes announced`);
      parts.push(message.value);
    } else if (message?.$case === 'header') {
      throw invalid('header', 'came again: a bundle is 1 file', 'bundleFiles');
    } else {
      throw invalid('header', 'is the first message');
    }
  }
  if (header === undefined) throw invalid('header', 'is missing');
  const { sha256, size } = header;
  const existed = store.has(sha256);
  if (!existed) await store.put(sha256, Buffer.concat(parts, bytes));
  return { sha256, size, existed };
}

async function sendBundle(
  call: ServerWritableStream<GetBundleRequest, GetBundleResponse>,
  store: BundleStore,
  partBytes: number,
  onCut: () => void,
): Promise<void> {
  const content = await store.get(call.request.sha256);
  if (content.byteLength > partBytes) onCut();
  const writer = new FlowControlledWriter<GetBundleResponse>(call);
  for (let from = 0; from === 0 || from < content.byteLength; from += partBytes) {
    const size = from === 0 ? content.byteLength : 0;
    try {
      await writer.write({ size, part: content.subarray(from, from + partBytes) });
    } catch {
      return; // The reader has left; nobody is there to be told.
    }
  }
  writer.end();
}

const invalid = (field: string, reason: string, limitName?: LimitName): ShoalError =>
  new ShoalError('REQUEST_INVALID', { field, reason, limitName });
