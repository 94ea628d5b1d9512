/** What the generated code has for each message. */
interface Codec<T> {
  fromPartial(partial: never): T;
  encode(message: T): { finish(): Uint8Array };
}

/** A message as bytes, of as many of its fields as matter. */
export const messageBytes = <T>(codec: Codec<T>, partial: object): Buffer =>
  Buffer.from(codec.encode(codec.fromPartial(partial as never)).finish());
