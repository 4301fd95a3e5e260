import { breathe, Pace, PairCorrelator } from '../backend/index.js';
import { type Operation, runOperation } from '../host.js';
import { COARSE_BANDS, type FrameRange } from './correlatePairs.js';
import { selfCorrelations } from './refinePeaks.js';
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
  /** Milliseconds spent, added to: products, inverse FFTs and search, and refinement. */
  readonly elapsedMs?: { correlate: number; refine: number };
}

/** More pairs than these are worth starting threads for. */
const FEW_PAIRS = 8192;

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
 * @throws AbortedError when `signal` is aborted; finished blocks are in the checkpoint.
 */
export async function correlateStack(spectra: WindowSpectra, options: CorrelateStackOptions = {}): Promise<PairTable> {
  const { signal, onProgress } = options;
  return runOperation({ label: 'Comparing frames', unit: 'pairs', signal, onProgress }, (operation) =>
    correlate(spectra, options, operation),
  );
}

async function correlate(
  spectra: WindowSpectra,
  options: CorrelateStackOptions,
  { signal, progress }: Operation,
): Promise<PairTable> {
  const { pairs = 'all', minWeight = 0.15, checkpoint, elapsedMs = { correlate: 0, refine: 0 } } = options;
  const pace = new Pace(signal, 'Comparing pairs of frames');
  const { count } = spectra;
  const reach = pairs === 'all' ? count : pairs.band;
  const empty = (fill: number): Float32Array => new Float32Array(count * count).fill(fill);
  const table = { count, shiftRow: empty(0), shiftColumn: empty(0), weight: empty(Number.NaN) };
  const coarse = coarseBand(spectra);
  await pace.next();
  const full = selfCorrelations(spectra);
  await pace.next();
  const self = { full, coarse: selfCorrelations(narrowBand(spectra, coarse)) };
  await pace.next();
  const total = countPairs(count, pairs);
  const correlator = new PairCorrelator(spectra, {
    side: 2 * coarse,
    windowSize: spectra.windowSize,
    largest: PAIR_BLOCK * PAIR_BLOCK,
    threads: total > FEW_PAIRS ? undefined : 0,
  });
  const job: BlockJob = { correlator, reach, minWeight, self, elapsedMs, signal };
  let done = 0;
  try {
    for (const { a, b, rows, columns } of listBlocks(count, reach)) {
      await pace.next();
      let block = await checkpoint?.read(a, b);
      if (!block) {
        block = await comparePairs(job, rows, columns);
        await checkpoint?.write(a, b, block);
      }
      done += fillTable(table, block, rows, columns, reach);
      progress(done, total);
      await breathe();
    }
  } finally {
    correlator.dispose();
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
  readonly correlator: PairCorrelator;
  readonly reach: number;
  readonly minWeight: number;
  readonly self: { readonly full: Float64Array; readonly coarse: Float64Array };
  readonly elapsedMs: { correlate: number; refine: number };
  readonly signal: AbortSignal | undefined;
}

const isWanted = (i: number, j: number, reach: number): boolean => j > i && j - i <= reach;

async function comparePairs(job: BlockJob, rows: FrameRange, columns: FrameRange): Promise<PairBlock> {
  const { correlator, reach, minWeight, self, elapsedMs, signal } = job;
  const height = rows.stop - rows.start;
  const width = columns.stop - columns.start;
  const stride = Math.ceil(width / 4) * 4;
  const out = {
    shiftRow: new Float32Array(height * width),
    shiftColumn: new Float32Array(height * width),
    weight: new Float32Array(height * width).fill(Number.NaN),
  };
  const start = performance.now();
  const coarse = await correlator.search({ rows, columns, reach, signal });
  const middle = performance.now();
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < stride; c++) {
      const at = 3 * (r * stride + c);
      const i = rows.start + r;
      const j = columns.start + c;
      const norm = Math.sqrt(self.coarse[i] * self.coarse[j]);
      const value = c < width && isWanted(i, j, reach) && norm > 0 ? coarse[at + 2] / norm : 0;
      if (c < width && isWanted(i, j, reach)) {
        out.shiftRow[r * width + c] = coarse[at];
        out.shiftColumn[r * width + c] = coarse[at + 1];
        out.weight[r * width + c] = Math.max(0, Math.min(1, value));
      }
      // what is this low stays as it is: a height of 0 says so
      coarse[at + 2] = value > minWeight / 2 ? value : 0;
    }
  }
  const refined = await correlator.refine({ rows, columns, reach, signal }, coarse);
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      const at = 3 * (r * stride + c);
      if (coarse[at + 2] === 0) continue;
      const norm = Math.sqrt(self.full[rows.start + r] * self.full[columns.start + c]);
      out.shiftRow[r * width + c] = refined[at];
      out.shiftColumn[r * width + c] = refined[at + 1];
      out.weight[r * width + c] = Math.max(0, Math.min(1, refined[at + 2] / norm));
    }
  }
  elapsedMs.correlate += middle - start;
  elapsedMs.refine += performance.now() - middle;
  return out;
}

function fillTable(table: PairTable, block: PairBlock, rows: FrameRange, columns: FrameRange, reach: number): number {
  const width = columns.stop - columns.start;
  let filled = 0;
  for (let i = rows.start; i < rows.stop; i++) {
    for (let j = columns.start; j < columns.stop; j++) {
      if (!isWanted(i, j, reach)) continue;
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
