import { throwIfAborted } from '../errors.js';
import { joinHostSignal } from '../host.js';
import type { ChunkSink } from '../stack/types.js';
import { createZarrWriter } from './createZarrWriter.js';
import { assertOutputInfo, type OutputInfo, type StackFormat, type StackWriterOptions } from './outputInfo.js';

/**
 * Starts a stack file: Zarr v3 (one frame a chunk, compressed by worker threads), a 16-bit TIFF stack, or HDF5 in the
 * published layout. Frames may come in any order, each once. Nothing stands under `path` before `finish` has resolved;
 * until then the result grows as `.NAME.part` beside it, and `abort` removes that.
 *
 * @param path the store's or file's final name.
 * @param format default by the caller; see {@link StackFormat}.
 * @param info sizes, axis and what else is known; a `StackInfo` serves.
 * @returns the sink. Every `writeFrame` and `writePlaced` resolves when the next frame may come.
 * @throws OutputError where the folder cannot be written, the disk is full, or `path` exists and `overwrite` is not set.
 */
export async function createStackWriter(
  path: string,
  format: StackFormat,
  info: OutputInfo,
  options: StackWriterOptions = {},
): Promise<ChunkSink> {
  assertOutputInfo(info);
  const own = options.signal;
  // the host's is that of the piece of work in which a frame comes, which may be a later one
  const sinkOptions: StackWriterOptions = {
    ...options,
    get signal() {
      return joinHostSignal(own);
    },
  };
  throwIfAborted(sinkOptions.signal, 'Writing a stack');
  switch (format) {
    case 'zarr':
      return createZarrWriter(path, info, sinkOptions);
    case 'tiff':
      return (await import('./createTiffWriter.js')).createTiffWriter(path, info, sinkOptions);
    case 'hdf5':
      return (await import('./createHdf5Writer.js')).createHdf5Writer(path, info, sinkOptions);
  }
}
