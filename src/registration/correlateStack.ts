import { breathe } from '../backend/index.js';
import { throwIfAborted } from '../errors.js';
import { COARSE_BANDS, type CoarsePeaks, type FrameRange, PairSearch } from './correlatePairs.js';
import { PeakRefiner, selfCorrelations } from './refinePeaks.js';
import type { PairTable } from './solveDrift.js';
import { narrowBand, type WindowSpectra } from './windowSpectra.js';

/** Which pairs are compared: all, or frames at most `band` apart. */
export type PairChoice = 'all' | { readonly band: number };

/** Pairs of one block, `[rows, columns]` row by row. */
export interface PairBlock {
  readonly shiftRow: Float32Array;
  readonly shiftColumn: Float32Array;
  readonly weight: Float32Array;
}

/** Where finished blocks are kept, so that a stopped run can go on. */
export interface PairCheckpoint {
  /** The block, if it was finished before. */
  read(blockRow: number, blockColumn: number): Promise<PairBlock | undefined>;
  write(blockRow: number, blockColumn: number, block: PairBlock): Promise<void>;
}

/** Frames a side of a block of pairs: fixed, so that results do not depend on memory or threads. */
export const PAIR_BLOCK = 64;

export interface CorrelateStackOptions {
  /** Default `all`. */
  readonly pairs?: PairChoice;
  /** Pairs whose coarse weight is below half of it are not refined. Default 0.15. */
  readonly minWeight?: number;
  readonly checkpoint?: PairCheckpoint | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((pairsDone: number, pairsTotal: number) => void) | undefined;
  /** Milliseconds spent, added to: waiting for coarse peaks, which come from other threads meanwhile, and refinement. */
  readonly elapsedMs?: { correlate: number; refine: number };
}

/** Number of pairs i < j of a choice. */
export function countPairs(count: number, pairs: PairChoice): number {
  const reach = pairs === 'all' ? count - 1 : Math.min(pairs.band, count - 1);
  return Math.max(0, reach * count - (reach * (reach + 1)) / 2);
}

/**
 * Share of the edge images' energy that the coarse search keeps; what is finer adds little to where the maximum is, and
 * costs four times as much at twice the band.
 */
const COARSE_SHARE = 0.9;

/** The smallest band of a fast transform that holds a share of the energy of all frames. */
export function coarseBand(spectra: WindowSpectra, share: number = COARSE_SHARE): number {
  const { count, band, stride, re, im } = spectra;
  const stored = band + 1;
  const energy = new Float64Array(band + 1);
  const frames = Math.max(1, Math.floor(count / 50));
  for (let m = 0; m < count; m += frames) {
    for (let s = 0; s < stride; s++) {
      const k = Math.floor(s / stored);
      const ring = Math.max(k < band ? k : 2 * band - k, s % stored);
      energy[ring] += re[m * stride + s] ** 2 + im[m * stride + s] ** 2;
    }
  }
  const total = energy.reduce((a, b) => a + b, 0);
  let sum = 0;
  let least = 0;
  while (least < band && sum < share * total) sum += energy[least++];
  return COARSE_BANDS.find((b) => b >= least) ?? Math.max(...COARSE_BANDS);
}

/**
 * Shift and weight of all pairs of frames (the paper's section 3.2, steps 3 and 4): coarse maxima by inverse FFTs, then
 * sub-pixel refinement, a block of 64 × 64 pairs at a time.
 *
 * @param spectra edge spectra of M frames.
 * @returns the table: shifts in pixels, weights normalized by the self-correlations, 0 where no peak was found; pairs
 *   that were not chosen have weight NaN.
 * @throws AbortedError between blocks, when `signal` is aborted; finished blocks are in the checkpoint.
 */
export async function correlateStack(spectra: WindowSpectra, options: CorrelateStackOptions = {}): Promise<PairTable> {
  const { pairs = 'all', minWeight = 0.15, checkpoint, signal, onProgress, elapsedMs = { correlate: 0, refine: 0 } } = options;
  const { count } = spectra;
  const reach = pairs === 'all' ? count : pairs.band;
  const wanted = (i: number, j: number): boolean => j > i && j - i <= reach;
  const empty = (fill: number): Float32Array => new Float32Array(count * count).fill(fill);
  const table = { count, shiftRow: empty(0), shiftColumn: empty(0), weight: empty(Number.NaN) };
  const coarse = coarseBand(spectra);
  const self = { full: selfCorrelations(spectra), coarse: selfCorrelations(narrowBand(spectra, coarse)) };
  const total = countPairs(count, pairs);
  const blocks = listBlocks(count, reach);
  const search = new PairSearch(spectra, coarse, Math.min(PAIR_BLOCK, count), total);
  const refiner = new PeakRefiner(spectra);
  // the threads look for the coarse peaks of the next block while this one refines
  const prepare = async ({ a, b, rows, columns }: Block): Promise<PairBlock | CoarsePeaks> =>
    (await checkpoint?.read(a, b)) ?? search.peaks(rows, columns, reach);
  let next = blocks.length > 0 ? prepare(blocks[0]) : undefined;
  let done = 0;
  try {
    for (const [k, { a, b, rows, columns }] of blocks.entries()) {
      throwIfAborted(signal, 'Comparing pairs of frames');
      const start = performance.now();
      const prepared = await (next as ReturnType<typeof prepare>);
      next = k + 1 < blocks.length ? prepare(blocks[k + 1]) : undefined;
      next?.catch(() => {}); // reported when it is awaited
      const middle = performance.now();
      elapsedMs.correlate += middle - start;
      const finished = 'weight' in prepared;
      const block = finished ? prepared : refineBlock(refiner, prepared, { rows, columns, wanted, minWeight, self });
      if (!finished) elapsedMs.refine += performance.now() - middle;
      if (!finished) await checkpoint?.write(a, b, block);
      if (a === b) {
        const least = minWeight / 2;
        refiner.anchor(
          rows,
          block,
          Uint8Array.from(block.weight, (weight) => (weight > least ? 1 : 0)),
        );
      }
      done += fillTable(table, block, rows, columns, wanted);
      onProgress?.(done, total);
      await breathe();
    }
  } finally {
    search.dispose();
    refiner.dispose();
  }
  return table;
}

/** A block of pairs: its place among the blocks, and its frames. */
interface Block {
  readonly a: number;
  readonly b: number;
  readonly rows: FrameRange;
  readonly columns: FrameRange;
}

/** The blocks that hold pairs, those of the same rows one after the other. */
function listBlocks(count: number, reach: number): Block[] {
  const blocks: Block[] = [];
  for (let a = 0; a * PAIR_BLOCK < count; a++) {
    for (let b = a; b * PAIR_BLOCK < count; b++) {
      const rows = blockRange(a, count);
      const columns = blockRange(b, count);
      if (columns.start - (rows.stop - 1) <= reach) blocks.push({ a, b, rows, columns });
    }
  }
  return blocks;
}

function blockRange(index: number, count: number): FrameRange {
  return { start: index * PAIR_BLOCK, stop: Math.min(count, (index + 1) * PAIR_BLOCK) };
}

interface BlockJob {
  readonly rows: FrameRange;
  readonly columns: FrameRange;
  readonly wanted: (i: number, j: number) => boolean;
  readonly minWeight: number;
  readonly self: { readonly full: Float64Array; readonly coarse: Float64Array };
}

function refineBlock(refiner: PeakRefiner, peaks: CoarsePeaks, job: BlockJob): PairBlock {
  const { rows, columns, wanted, minWeight, self } = job;
  const width = columns.stop - columns.start;
  const size = (rows.stop - rows.start) * width;
  const use = new Uint8Array(size);
  const weight = new Float32Array(size).fill(Number.NaN);
  for (let p = 0; p < size; p++) {
    const i = rows.start + Math.floor(p / width);
    const j = columns.start + (p % width);
    if (!wanted(i, j)) continue;
    const norm = Math.sqrt(self.coarse[i] * self.coarse[j]);
    const value = norm > 0 ? peaks.height[p] / norm : 0;
    weight[p] = Math.max(0, Math.min(1, value));
    use[p] = value > minWeight / 2 ? 1 : 0;
  }
  const refined = refiner.refine(rows, columns, peaks, use);
  for (let p = 0; p < size; p++) {
    if (!use[p]) continue;
    const norm = Math.sqrt(self.full[rows.start + Math.floor(p / width)] * self.full[columns.start + (p % width)]);
    weight[p] = Math.max(0, Math.min(1, refined.height[p] / norm));
  }
  return { shiftRow: refined.shiftRow, shiftColumn: refined.shiftColumn, weight };
}

function fillTable(
  table: PairTable,
  block: PairBlock,
  rows: FrameRange,
  columns: FrameRange,
  wanted: (i: number, j: number) => boolean,
): number {
  const width = columns.stop - columns.start;
  let filled = 0;
  for (let i = rows.start; i < rows.stop; i++) {
    for (let j = columns.start; j < columns.stop; j++) {
      if (!wanted(i, j)) continue;
      const p = (i - rows.start) * width + (j - columns.start);
      const at = i * table.count + j;
      table.shiftRow[at] = block.shiftRow[p];
      table.shiftColumn[at] = block.shiftColumn[p];
      table.weight[at] = block.weight[p];
      filled++;
    }
  }
  return filled;
}
