import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { type EmbeddedFile, embeddedFiles } from './gen/descriptors.ts';
import {
  type ServerReflectionRequest,
  ServerReflectionResponse,
  type ServerReflectionServer,
} from './gen/grpc/reflection/v1/reflection.ts';

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

const filesByName = new Map(embeddedFiles.map((file) => [file.name, file]));
const filesBySymbol = new Map(embeddedFiles.flatMap((file) => file.symbols.map((symbol) => [symbol, file])));

/**
 * Server reflection: tells tools such as `buf curl` and `grpcurl` what this server has.
 *
 * Written here, on descriptors that are part of the code, because the package for it reads .proto files by their path
 * and loads a second protobuf implementation.
 */
export class Reflection {
  readonly #services: readonly string[];

  /** `services` are the full names of all services of the server. */
  constructor(services: readonly string[]) {
    this.#services = services.toSorted();
  }

  /** The service's method, for `Server.addService`. v1 and v1alpha have the same messages. */
  readonly handlers: ServerReflectionServer = {
    serverReflectionInfo: (
      call: ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>,
    ): void => {
      call.on('data', (request: ServerReflectionRequest) => {
        const answer = ServerReflectionResponse.create({
          validHost: request.host,
          originalRequest: request,
          messageResponse: this.answer(request),
        });
        // Answers are small questions' big sisters: ask no more until this one has gone out.
        if (call.write(answer)) return;
        call.pause();
        call.once('drain', () => call.resume());
      });
      call.on('end', () => call.end());
      call.on('error', () => {});
    },
  };

  /** The answer to one question. */
  answer(request: ServerReflectionRequest): Answer {
    const question = request.messageRequest;
    switch (question?.$case) {
      case 'listServices':
        return {
          $case: 'listServicesResponse',
          value: { service: this.#services.map((name) => ({ name })) },
        };
      case 'fileByFilename':
        return filesAnswer(filesByName.get(question.value), question.value);
      case 'fileContainingSymbol':
        return filesAnswer(filesBySymbol.get(question.value), question.value);
      case 'fileContainingExtension':
        return errorAnswer(status.NOT_FOUND, 'there are no extensions');
      case 'allExtensionNumbersOfType':
        return filesBySymbol.has(question.value)
          ? {
              $case: 'allExtensionNumbersResponse',
              value: { baseTypeName: question.value, extensionNumber: [] },
            }
          : errorAnswer(status.NOT_FOUND, `${question.value} is unknown`);
      default:
        return errorAnswer(status.INVALID_ARGUMENT, 'this question is unknown');
    }
  }
}

/** A file and all that it imports, each once, what is imported after what imports it. */
function filesAnswer(file: EmbeddedFile | undefined, asked: string): Answer {
  if (file === undefined) return errorAnswer(status.NOT_FOUND, `${asked} is unknown`);
  const closure = new Set([file]);
  for (const one of closure) {
    for (const name of one.imports) {
      const imported = filesByName.get(name);
      if (imported !== undefined) closure.add(imported);
    }
  }
  return {
    $case: 'fileDescriptorResponse',
    value: { fileDescriptorProto: [...closure].map((one) => Buffer.from(one.base64, 'base64')) },
  };
}

function errorAnswer(errorCode: number, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
