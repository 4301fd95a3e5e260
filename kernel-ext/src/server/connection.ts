import { readFileSync } from 'node:fs';

/** What Jupyter's connection file says. */
export interface Connection {
  readonly transport: string;
  readonly ip: string;
  readonly key: string;
  readonly ports: Readonly<Record<Channel, number>>;
}

export type Channel = 'shell' | 'control' | 'stdin' | 'iopub' | 'hb';

const CHANNELS: readonly Channel[] = ['shell', 'control', 'stdin', 'iopub', 'hb'];

/**
 * @throws Error if the file cannot be read, is not JSON, lacks a port or asks for another signature than HMAC-SHA256.
 */
export function readConnection(path: string): Connection {
  const raw = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const { transport = 'tcp', ip = '127.0.0.1', key = '', signature_scheme: scheme = 'hmac-sha256' } = raw;
  if (scheme !== 'hmac-sha256') throw new Error(`${path}: 'signature_scheme' must be hmac-sha256, got ${scheme}`);
  const ports = {} as Record<Channel, number>;
  for (const channel of CHANNELS) {
    const port = Number(raw[`${channel}_port`]);
    if (!Number.isInteger(port) || port < 1) throw new Error(`${path}: '${channel}_port' must be a port, got ${port}`);
    ports[channel] = port;
  }
  return { transport: String(transport), ip: String(ip), key: String(key), ports };
}

/** The address of a channel as ZeroMQ wants it. */
export function addressOf({ transport, ip, ports }: Connection, channel: Channel): string {
  return transport === 'ipc' ? `ipc://${ip}-${ports[channel]}` : `${transport}://${ip}:${ports[channel]}`;
}
