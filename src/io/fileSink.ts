import { throwIfAborted } from '../errors.js';
import { placeFrame } from '../stack/placeFrame.js';
import type { ChunkSink, PixelArray } from '../stack/types.js';
import { FrameLedger, type OutputInfo, type StackWriterOptions } from './outputInfo.js';
import { startOutput } from './partialOutput.js';
import { toOutputError } from './writeFileAtomic.js';

/** A file of frames that is open for writing. What its functions throw may be the system's own error. */
export interface FrameFile {
  /** Writes frame `index`, of the output's size and type. */
  write(index: number, pixels: PixelArray): Promise<void> | void;
  /** Brings everything to the disk and closes the file. */
  close(): Promise<void> | void;
  /** Closes the file as it is; it is removed afterwards. */
  abandon(): Promise<void> | void;
}

/**
 * A sink whose result is one file, written frame by frame on the calling thread: it keeps account of the frames, places
 * them on the canvas, and gives the file its name in the end.
 *
 * @param open makes the file at the temporary place it is given.
 * @throws OutputError where the file cannot be made; nothing is left behind.
 */
export async function fileSink(
  path: string,
  info: OutputInfo,
  options: StackWriterOptions,
  open: (part: string) => Promise<FrameFile>,
): Promise<ChunkSink> {
  const output = await startOutput(path, options.overwrite);
  const ledger = new FrameLedger(info);
  let file: FrameFile | undefined;
  const onFile = async (work: (file: FrameFile) => Promise<void> | void): Promise<void> => {
    throwIfAborted(options.signal, 'Writing a stack');
    try {
      if (file) await work(file);
    } catch (error) {
      throw toOutputError(error, path);
    }
  };
  try {
    file = await open(output.path);
  } catch (error) {
    await output.discard();
    throw toOutputError(error, path);
  }
  return {
    async writeFrame(index, pixels) {
      ledger.takeFrame(index, pixels);
      await onFile((open) => open.write(index, pixels));
    },
    async writePlaced(index, pixels, placement) {
      ledger.takePlaced(index, pixels, placement);
      await onFile((open) => open.write(index, placeFrame(pixels, placement)));
    },
    async finish() {
      throwIfAborted(options.signal, 'Writing a stack');
      ledger.assertComplete();
      await onFile((open) => open.close());
      file = undefined;
      await output.commit();
    },
    async abort() {
      await file?.abandon();
      file = undefined;
      await output.discard();
    },
  };
}
