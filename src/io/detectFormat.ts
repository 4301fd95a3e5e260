import { DataFormatError } from '../errors.js';
import { readHead } from './fileAccess.js';

/** File formats that are told apart by their first bytes. */
export type FileFormat = 'elmitec' | 'tiff' | 'hdf5' | 'nlp' | 'png';

/** Names of the formats for messages. */
export const FORMAT_NAMES: Readonly<Record<FileFormat, string>> = {
  elmitec: 'Elmitec U-View',
  tiff: 'TIFF',
  hdf5: 'HDF5',
  nlp: 'ESCHER NLP',
  png: 'PNG',
};

const SIGNATURES: readonly (readonly [FileFormat, string])[] = [
  ['elmitec', 'UKSOFT2001'],
  ['tiff', 'II\x2a\x00'],
  ['tiff', 'MM\x00\x2a'],
  ['tiff', 'II\x2b\x00'],
  ['tiff', 'MM\x00\x2b'],
  ['hdf5', '\x89HDF\r\n\x1a\n'],
  ['nlp', 'NLP4\n'],
  ['png', '\x89PNG\r\n\x1a\n'],
];

/** The format that the first bytes of a file say, whatever its name is; undefined where none of ours. */
export function detectFormat(head: Uint8Array): FileFormat | undefined {
  const text = String.fromCharCode(...head.subarray(0, 16));
  return SIGNATURES.find(([, signature]) => text.startsWith(signature))?.[0];
}

/** {@link detectFormat} of a file on the disk; `size` is the whole file's. */
export async function detectFile(path: string): Promise<{ format: FileFormat | undefined; head: Uint8Array; size: number }> {
  const { head, size } = await readHead(path, 16);
  return { format: detectFormat(head), head, size };
}

/** The error for a file that is none of our formats. */
export function unknownFormat(path: string, head: Uint8Array): DataFormatError {
  if (head.byteLength === 0) return new DataFormatError('the file is empty', { path, offset: 0 });
  const bytes = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return new DataFormatError(
    `not an image format that leemlab reads (Elmitec .dat and .dav, TIFF, Zarr, HDF5 or netCDF-4, ESCHER .nlp, PNG): the file starts with ${bytes}`,
    { path, offset: 0 },
  );
}
