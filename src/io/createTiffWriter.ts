import { type FileHandle, open } from 'node:fs/promises';
import { UnsupportedError } from '../errors.js';
import { BYTES_PER_PIXEL } from '../stack/pixels.js';
import type { ChunkSink, PixelType } from '../stack/types.js';
import { bytesOf } from './chunkCodec.js';
import { fileSink } from './fileSink.js';
import { type OutputInfo, type StackWriterOptions, stackAttributes } from './outputInfo.js';
import { type TiffStackDocument, writeTiffDescription } from './tiffDescription.js';
import { tiffHeader } from './tiffHeader.js';

/** The sample format of the types that are written. */
const SAMPLE_FORMATS: Partial<Record<PixelType, number>> = { uint8: 1, uint16: 1, uint32: 1, int16: 2, int32: 2, float32: 3 };

/**
 * A TIFF stack, one page a frame, uncompressed and contiguous, so that any program reads any frame at once; BigTIFF where
 * 4 GiB do not suffice. The first page's description is ImageJ's (number of images, unit of the resolution) with a line of
 * JSON for the axis, multiplier, pedestal and attributes, which leemlab reads back.
 */
export async function createTiffWriter(path: string, info: OutputInfo, options: StackWriterOptions): Promise<ChunkSink> {
  const { frames, height, width, pixelType = 'uint16' } = info;
  const sampleFormat = SAMPLE_FORMATS[pixelType];
  if (sampleFormat === undefined) {
    throw new UnsupportedError(
      `createStackWriter(): TIFF stacks hold ${Object.keys(SAMPLE_FORMATS).join(', ')}, got ${pixelType}; use zarr or hdf5`,
    );
  }
  const frameBytes = height * width * BYTES_PER_PIXEL[pixelType];
  const { header, pixelOffset } = tiffHeader({
    frames,
    height,
    width,
    bits: BYTES_PER_PIXEL[pixelType] * 8,
    sampleFormat,
    description: writeTiffDescription(frames, stackDocument(info, options)),
    pixelsPerUnit: info.pixelSizeNanometers === undefined ? undefined : 1 / info.pixelSizeNanometers,
  });
  return fileSink(path, info, options, async (part) => {
    const file = await open(part, 'wx');
    const abandon = (): Promise<void> => file.close().catch(() => {});
    try {
      await writeAll(file, header, 0);
    } catch (error) {
      await abandon();
      throw error;
    }
    return {
      write: (index, pixels) => writeAll(file, bytesOf(pixels), pixelOffset + index * frameBytes),
      async close() {
        await file.sync();
        await file.close();
      },
      abandon,
    };
  });
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await file.write(bytes, done, bytes.byteLength - done, position + done)).bytesWritten;
  }
}

function stackDocument(info: OutputInfo, options: StackWriterOptions): TiffStackDocument {
  const { pedestal, zero_is_missing, pixel_size_nm, ...attributes } = stackAttributes(info, options);
  return {
    axis: { kind: info.axis.kind, values: [...info.axis.values] },
    ...(info.multiplier === undefined ? {} : { multiplier: [...info.multiplier] }),
    ...(info.mcpBiasKilovolts === undefined ? {} : { mcp_bias: [...info.mcpBiasKilovolts] }),
    ...(pixel_size_nm === undefined ? {} : { pixel_size_nm: pixel_size_nm as number }),
    pedestal: pedestal as number,
    zero_is_missing: zero_is_missing as boolean,
    attributes,
  };
}
