import { formatBytes } from '../../shared/formatBytes.js';

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];

function startsWith(bytes: Uint8Array, signature: readonly number[] | string, offset = 0): boolean {
  const codes = typeof signature === 'string' ? [...signature].map((sign) => sign.charCodeAt(0)) : signature;
  return codes.every((code, i) => bytes[offset + i] === code);
}

/** The MIME type of an image by the first bytes of its file; undefined if it is none that browsers show. */
export function imageType(bytes: Uint8Array): string | undefined {
  if (startsWith(bytes, PNG)) return 'image/png';
  if (startsWith(bytes, JPEG)) return 'image/jpeg';
  if (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) return 'image/gif';
  if (startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8)) return 'image/webp';
  return undefined;
}

/** What an image is, in words: `PNG image 640 × 480, 12.3 KiB`. */
export function describeImage(bytes: Uint8Array, type: string): string {
  const name = type.replace(/^image\//, '').replace(/\+.*/, '');
  const [width, height] = imageSize(bytes, type) ?? [];
  const size = width === undefined ? '' : ` ${width} × ${height}`;
  return `${name === 'webp' ? 'WebP' : name.toUpperCase()} image${size}, ${formatBytes(bytes.length)}`;
}

function imageSize(bytes: Uint8Array, type: string): [number, number] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === 'image/png' && bytes.length >= 24) return [view.getUint32(16), view.getUint32(20)];
  if (type === 'image/gif' && bytes.length >= 10) return [view.getUint16(6, true), view.getUint16(8, true)];
  return undefined;
}
