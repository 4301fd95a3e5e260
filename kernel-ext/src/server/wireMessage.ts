import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Json } from '../shared/messages.js';

/** Version of Jupyter's messaging protocol that the kernel speaks. */
export const PROTOCOL_VERSION = '5.4';

const DELIMITER = Buffer.from('<IDS|MSG>');
const SESSION_ID = randomUUID();

export interface Header {
  readonly msg_id: string;
  readonly msg_type: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly version: string;
}

/** A message as it came from a front end. */
export interface Message {
  /** ZeroMQ's address of the sender. */
  readonly identities: readonly Buffer[];
  readonly header: Header;
  readonly parent: Json;
  readonly metadata: Json;
  readonly content: Json;
  readonly buffers: readonly Uint8Array[];
}

function sign(key: string, parts: readonly Uint8Array[]): string {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest('hex');
}

function parseObject(part: Buffer, name: string): Json {
  const value: unknown = JSON.parse(part.toString('utf8'));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} is not an object`);
  return value as Json;
}

/**
 * Reads a message of the wire protocol.
 *
 * @throws Error if it lacks a part, is not JSON, or its signature is wrong: such a message must be dropped.
 */
export function parseMessage(frames: readonly Buffer[], key: string): Message {
  const at = frames.findIndex((frame) => frame.equals(DELIMITER));
  if (at < 0) throw new Error('it has no delimiter <IDS|MSG>');
  if (frames.length < at + 6)
    throw new Error(`it has ${frames.length - at - 1} parts behind the delimiter, at least 5 are needed`);
  const [signature, ...parts] = frames.slice(at + 1);
  if (key !== '') {
    const expected = Buffer.from(sign(key, parts.slice(0, 4)));
    if (expected.length !== signature.length || !timingSafeEqual(expected, signature)) throw new Error('its signature is wrong');
  }
  const header = parseObject(parts[0], 'its header') as unknown as Header;
  if (typeof header.msg_id !== 'string' || typeof header.msg_type !== 'string')
    throw new Error('its header lacks msg_id or msg_type');
  return {
    identities: frames.slice(0, at),
    header,
    parent: parseObject(parts[1], 'its parent header'),
    metadata: parseObject(parts[2], 'its metadata'),
    content: parseObject(parts[3], 'its content'),
    buffers: parts.slice(4),
  };
}

export interface OutgoingMessage {
  readonly identities?: readonly Uint8Array[];
  readonly type: string;
  /** The header of the request that this answers, `{}` without one. */
  readonly parent: Header | Json;
  readonly content: Json;
  readonly metadata?: Json | undefined;
  readonly buffers?: readonly Uint8Array[] | undefined;
}

/** The parts of a signed message of the wire protocol. */
export function serializeMessage(message: OutgoingMessage, key: string): Uint8Array[] {
  const { identities = [], type, parent, content, metadata = {}, buffers = [] } = message;
  const header: Header = {
    msg_id: randomUUID(),
    msg_type: type,
    session: SESSION_ID,
    username: 'kernel',
    date: new Date().toISOString(),
    version: PROTOCOL_VERSION,
  };
  const parts = [header, parent, metadata, content].map((part) => Buffer.from(JSON.stringify(part)));
  const signature = Buffer.from(key === '' ? '' : sign(key, parts));
  return [...identities, DELIMITER, signature, ...parts, ...buffers];
}
