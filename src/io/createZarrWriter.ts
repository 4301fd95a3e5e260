import { throwIfAborted } from '../errors.js';
import type { ChunkSink } from '../stack/types.js';
import { EncodePool } from './EncodePool.js';
import type { EncodeJob } from './encodeFrame.js';
import { FrameLedger, type OutputInfo, type StackWriterOptions, stackAttributes, stackCoordinates } from './outputInfo.js';
import { startOutput } from './partialOutput.js';
import { toOutputError } from './writeFileAtomic.js';
import { createZarrGroup, type ZarrGroup } from './zarrStore.js';

/** Name of the array of pixels in a group. */
export const PIXEL_ARRAY_NAME = 'intensity';

/**
 * A Zarr v3 store of a stack: array `intensity` `[N, H, W]` with one frame a chunk, coordinates `energy` or `time`,
 * `multiplier`, `mcp_bias`, and attributes for the pixel size and provenance. Python's zarr and xarray open it as it is.
 */
export async function createZarrWriter(path: string, info: OutputInfo, options: StackWriterOptions): Promise<ChunkSink> {
  const output = await startOutput(path, options.overwrite);
  let group: ZarrGroup;
  try {
    group = await createZarrGroup(output.path, { attributes: stackAttributes(info, options) });
    await describeStack(group, info);
  } catch (error) {
    await output.discard();
    throw toOutputError(error, path);
  }
  const ledger = new FrameLedger(info);
  const pool = await EncodePool.start(options.threads);
  const underWay = new Set<Promise<void>>();
  let failure: Error | undefined;

  const submit = async (job: EncodeJob): Promise<void> => {
    // a caller who was stopped may not come back to abort: the threads do not wait for that
    if (options.signal?.aborted) await pool.close();
    throwIfAborted(options.signal, 'Writing a stack');
    if (failure !== undefined) throw failure;
    const { done } = await pool.submit(job);
    // a chunk that fails is reported by the next call, and by finish
    const settled: Promise<void> = done
      .catch((error: unknown) => {
        failure ??= toOutputError(error, path);
      })
      .finally(() => underWay.delete(settled));
    underWay.add(settled);
    if (pool.threads === 0) await settled;
    if (failure !== undefined) throw failure;
  };
  const chunk = (index: number): string => group.chunkPath(PIXEL_ARRAY_NAME, [index, 0, 0]);

  return {
    async writeFrame(index, pixels) {
      ledger.takeFrame(index, pixels);
      // the caller keeps its array: the copy goes to the worker
      await submit({ path: chunk(index), pixels: pixels.slice(), placement: undefined, codec: 'blosc' });
    },
    async writePlaced(index, pixels, placement) {
      ledger.takePlaced(index, pixels, placement);
      await submit({ path: chunk(index), pixels, placement, codec: 'blosc' });
    },
    async finish() {
      await Promise.all(underWay);
      if (failure !== undefined) throw failure;
      throwIfAborted(options.signal, 'Writing a stack');
      ledger.assertComplete();
      await group.consolidate();
      await pool.close();
      await output.commit();
    },
    async abort() {
      await pool.close();
      await Promise.all(underWay);
      await output.discard();
    },
  };
}

async function describeStack(group: ZarrGroup, info: OutputInfo): Promise<void> {
  const coordinates = stackCoordinates(info);
  for (const { name, values, unit, title } of coordinates) {
    await group.writeArray(name, values, {
      dimensionNames: ['frame'],
      fillValue: Number.NaN,
      attributes: { long_name: title, ...(unit === '' ? {} : { units: unit }) },
    });
  }
  // a coordinate that has the dimension's own name needs no mention
  const mentioned = coordinates.map(({ name }) => name).filter((name) => name !== 'frame');
  await group.createArray(PIXEL_ARRAY_NAME, {
    shape: [info.frames, info.height, info.width],
    chunks: [1, info.height, info.width],
    dtype: info.pixelType ?? 'uint16',
    dimensionNames: ['frame', 'row', 'column'],
    attributes: { coordinates: mentioned.join(' '), long_name: 'intensity', units: 'counts' },
  });
}
