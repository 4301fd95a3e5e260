import { rm } from 'node:fs/promises';
import { createZarrGroup, openZarrGroup, type ZarrGroup } from '../io/index.js';
import { PAIR_BLOCK, type PairBlock, type PairCheckpoint } from '../registration/index.js';

const ARRAYS = ['shift_row', 'shift_col', 'weight'] as const;

/** Opens or starts `pairs.zarr`, the checkpoint of a run: shifts and weights `[M, M]` in blocks of pairs. */
export async function openPairStore(path: string, fingerprint: string, frames: readonly number[]): Promise<PairCheckpoint> {
  const known = await openZarrGroup(path).catch(() => undefined);
  const same = known?.attributes.fingerprint === fingerprint;
  const whole = known && same && (await Promise.all(['frame', ...ARRAYS].map((name) => known.hasArray(name)))).every(Boolean);
  // a run that was killed while it started the store
  if (same && !whole) await rm(path, { recursive: true, force: true });
  const group = known && whole ? known : await startGroup(path, fingerprint, frames);
  return {
    read: (a, b) => readBlock(group, a, b, frames.length),
    write: (a, b, block) => writeBlock(group, a, b, block, frames.length),
  };
}

/** The fingerprint of the run that a `pairs.zarr` belongs to; undefined where there is none. */
export async function pairStoreFingerprint(path: string): Promise<string | undefined> {
  const group = await openZarrGroup(path).catch(() => undefined);
  const fingerprint = group?.attributes.fingerprint;
  return typeof fingerprint === 'string' ? fingerprint : undefined;
}

async function startGroup(path: string, fingerprint: string, frames: readonly number[]): Promise<ZarrGroup> {
  const group = await createZarrGroup(path, { attributes: { fingerprint, sign: 'shift[i, j] = drift[j] - drift[i], pixels' } });
  const count = frames.length;
  await group.writeArray('frame', Int32Array.from(frames), { dimensionNames: ['m'] });
  for (const name of ARRAYS) {
    await group.createArray(name, {
      shape: [count, count],
      chunks: [PAIR_BLOCK, PAIR_BLOCK],
      dtype: 'float32',
      dimensionNames: ['first', 'second'],
      fillValue: Number.NaN,
      attributes: { units: name === 'weight' ? '1' : 'pixel' },
    });
  }
  return group;
}

/** Values of a block `[rows, columns]` in the corner of a whole chunk, or those of its mirror image with a factor. */
function toChunk(values: Float32Array, rows: number, columns: number, mirror: boolean, factor: number): Float32Array {
  const out = new Float32Array(PAIR_BLOCK * PAIR_BLOCK).fill(Number.NaN);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[mirror ? j * PAIR_BLOCK + i : i * PAIR_BLOCK + j] = factor * values[i * columns + j];
  }
  return out;
}

async function writeBlock(group: ZarrGroup, a: number, b: number, block: PairBlock, count: number): Promise<void> {
  const rows = Math.min(PAIR_BLOCK, count - a * PAIR_BLOCK);
  const columns = Math.min(PAIR_BLOCK, count - b * PAIR_BLOCK);
  const parts = { shift_row: [block.shiftRow, -1], shift_col: [block.shiftColumn, -1], weight: [block.weight, 1] } as const;
  // the weight comes last: it says that the block is there
  for (const name of ARRAYS) {
    const [values, sign] = parts[name];
    const shown = values.map((value, p) => (Number.isNaN(block.weight[p]) ? Number.NaN : value));
    if (a === b) {
      await group.writeChunk(name, [a, a], diagonalChunk(shown, rows, sign));
      continue;
    }
    await group.writeChunk(name, [b, a], toChunk(shown, rows, columns, true, sign));
    await group.writeChunk(name, [a, b], toChunk(shown, rows, columns, false, 1));
  }
}

/** Both triangles of a block on the diagonal; a frame and itself: shift 0, weight 1. */
function diagonalChunk(values: Float32Array, size: number, sign: number): Float32Array {
  const out = toChunk(values, size, size, false, 1);
  for (let i = 0; i < size; i++) {
    out[i * PAIR_BLOCK + i] = sign < 0 ? 0 : 1;
    for (let j = i + 1; j < size; j++) out[j * PAIR_BLOCK + i] = sign * out[i * PAIR_BLOCK + j];
  }
  return out;
}

async function readBlock(group: ZarrGroup, a: number, b: number, count: number): Promise<PairBlock | undefined> {
  for (const name of ARRAYS) if (!(await group.hasChunk(name, a, b))) return undefined;
  const rows = Math.min(PAIR_BLOCK, count - a * PAIR_BLOCK);
  const columns = Math.min(PAIR_BLOCK, count - b * PAIR_BLOCK);
  const read = async (name: string): Promise<Float32Array> => {
    const chunk = await group.readChunk(name, a, b);
    const out = new Float32Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) out[i * columns + j] = chunk[i * PAIR_BLOCK + j];
    }
    return out;
  };
  return { shiftRow: await read('shift_row'), shiftColumn: await read('shift_col'), weight: await read('weight') };
}
