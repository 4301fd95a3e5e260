import { statSync } from 'node:fs';

export function isInPackage(name: string): boolean {
  return name.includes('/node_modules/');
}

export function isDeclaration(name: string): boolean {
  return /\.d\.[mc]?ts$/.test(name);
}

/** Changes when the file does; empty where there is none. */
export function stampOf(name: string): string {
  const stats = statSync(name, { throwIfNoEntry: false });
  return stats ? `${stats.mtimeMs}:${stats.size}` : '';
}
