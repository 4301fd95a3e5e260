import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { OptionError, throwIfAborted, UnsupportedError } from '../errors.js';

/** A checkout of TAdeJong/LEEM-analysis and a Python that has what it needs. */
export interface Peer {
  readonly checkout: string;
  readonly python: string;
}

/** One run of the peer's pipeline. */
export interface PeerJob {
  readonly sigma: number;
  readonly windowSize: number;
  readonly minWeight: number;
}

/** What the peer found, in our signs: drift, not shift. */
export interface PeerResult {
  readonly row: readonly number[];
  readonly column: readonly number[];
  readonly seconds: { readonly filter: number; readonly correlate: number; readonly solve: number; readonly total: number };
}

/** Frames that the peer reads as one raw NumPy file. */
export interface PeerFrames {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly type: 'uint16' | 'float32';
  frame(n: number): Uint16Array | Float32Array;
}

// Runs the reference's own functions, in its own order; the first frames warm up imports and compiled code, untimed.
const DRIVER = `
import json, sys, time
with open(sys.argv[1]) as file:
    job = json.load(file)
sys.path.insert(0, job["checkout"])
import numpy as np
import dask.array as da
from registration.registration import (crop_and_filter, dask_cross_corr, max_and_argmax, calculate_halfmatrices,
                                       threshold_and_mask, calc_shift_vectors, interp_shifts)

def register(frames, window, sigma, least):
    half = window // 2
    start = time.perf_counter()
    data = da.from_array(frames, chunks=(10, -1, -1))
    edges = crop_and_filter(data, sigma=sigma, finalsize=window)
    edges = (edges - edges.mean(axis=(1, 2), keepdims=True)).persist()
    filtered = time.perf_counter()
    weights, places = calculate_halfmatrices(*max_and_argmax(dask_cross_corr(edges)), fftsize=half)
    correlated = time.perf_counter()
    coords, weights, rows, columns, _ = threshold_and_mask(least, weights, places, np.arange(len(frames)))
    shifts = calc_shift_vectors(rows, columns, weights)
    shift_row, shift_column = interp_shifts(coords, shifts, n=len(frames))
    end = time.perf_counter()
    return shift_row, shift_column, dict(filter=filtered - start, correlate=correlated - filtered,
                                         solve=end - correlated, total=end - start)

frames = np.load(job["frames"])
first = job["jobs"][0]
register(frames[:4], first["windowSize"], first["sigma"], 0.0)
for one in job["jobs"]:
    shift_row, shift_column, seconds = register(frames, one["windowSize"], one["sigma"], one["minWeight"])
    print(json.dumps(dict(row=(-shift_row).tolist(), column=(-shift_column).tolist(), seconds=seconds)), flush=True)
`;

/**
 * Checks that the folder is a checkout of the peer.
 *
 * @throws OptionError where it is not.
 */
export function findPeer(checkout: string, python = 'python3'): Peer {
  if (!existsSync(join(checkout, 'registration', 'registration.py'))) {
    throw new OptionError(
      `bench: --peer must be a checkout of TAdeJong/LEEM-analysis, but ${join(checkout, 'registration', 'registration.py')} does not exist`,
    );
  }
  return { checkout: resolve(checkout), python };
}

/**
 * Runs the reference's registration in its own Python on the given frames, which go over as a file in a temporary folder.
 *
 * @param jobs whole-numbered sigmas: the reference crops by them.
 * @param onJob called after each job.
 * @returns one result a job; `seconds` without start-up, reading and the first call's compilation.
 * @throws UnsupportedError where Python, its packages or the reference fail; AbortedError.
 */
export async function runPeer(
  peer: Peer,
  frames: PeerFrames,
  jobs: readonly PeerJob[],
  options: { readonly signal?: AbortSignal | undefined; readonly onJob?: ((done: number) => void) | undefined } = {},
): Promise<PeerResult[]> {
  const fractional = jobs.find(({ sigma }) => !Number.isInteger(sigma));
  if (fractional) throw new OptionError(`bench: --sigma must be a whole number for the peer, got ${fractional.sigma}`);
  const folder = await mkdtemp(join(tmpdir(), 'leem-bench-'));
  try {
    const data = join(folder, 'frames.npy');
    await writeNpy(data, frames, options.signal);
    const job = join(folder, 'job.json');
    await writeFile(job, JSON.stringify({ checkout: peer.checkout, frames: data, jobs }));
    const driver = join(folder, 'driver.py');
    await writeFile(driver, DRIVER);
    return await runDriver(peer.python, [driver, job], jobs.length, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** NumPy's file format, version 1.0: a header of a multiple of 64 bytes, then the values, little-endian. */
async function writeNpy(path: string, frames: PeerFrames, signal: AbortSignal | undefined): Promise<void> {
  const { count, height, width, type } = frames;
  const shape = `(${count}, ${height}, ${width})`;
  const text = `{'descr': '${type === 'uint16' ? '<u2' : '<f4'}', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(length, ' ');
  header.set([0x93, ...Buffer.from('NUMPY'), 1, 0]);
  header.writeUInt16LE(length - 10, 8);
  header.write(text, 10, 'latin1');
  header.write('\n', length - 1, 'latin1');
  const file = await open(path, 'wx');
  try {
    await file.write(header);
    for (let n = 0; n < count; n++) {
      throwIfAborted(signal, 'The benchmark');
      const pixels = frames.frame(n);
      await file.write(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength));
    }
  } finally {
    await file.close();
  }
}

function runDriver(
  python: string,
  argv: readonly string[],
  jobs: number,
  { signal, onJob }: { readonly signal?: AbortSignal | undefined; readonly onJob?: ((done: number) => void) | undefined },
): Promise<PeerResult[]> {
  return new Promise((resolvePromise, reject) => {
    // no file of compiled code goes into the checkout
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const child = spawn(python, argv, { stdio: ['ignore', 'pipe', 'pipe'], env });
    const stop = (): void => {
      child.kill('SIGKILL');
    };
    signal?.addEventListener('abort', stop, { once: true });
    let output = '';
    let errors = '';
    child.stdout.on('data', (part: Buffer) => {
      output += part;
      onJob?.(output.split('\n').length - 1);
    });
    child.stderr.on('data', (part: Buffer) => {
      errors = (errors + part).slice(-4000);
    });
    const fail = (reason: string): void =>
      reject(
        new UnsupportedError(
          `bench: the peer did not run: ${reason}; --peer-python must be a Python with the requirements of the checkout`,
        ),
      );
    child.on('error', (error) => fail(error.message));
    child.on('close', (code) => {
      signal?.removeEventListener('abort', stop);
      try {
        throwIfAborted(signal, 'The benchmark');
        if (code !== 0) return fail(errors.trim().split('\n').at(-1) || `${python} ended with code ${code}`);
        const lines = output.trim().split('\n');
        if (lines.length !== jobs) return fail(`it gave ${lines.length} results where ${jobs} were asked for`);
        resolvePromise(lines.map((line) => JSON.parse(line) as PeerResult));
      } catch (error) {
        reject(error);
      }
    });
  });
}
