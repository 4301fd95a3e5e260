import { createRequire } from 'node:module';

/** The version of leemlab, from its package.json. */
export function leemlabVersion(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}
