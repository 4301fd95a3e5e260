// AssemblyScript, compiled to WebAssembly: what PairCorrelator runs on each thread.
import { correlate } from './correlation';
import { refineRows } from './refinement';

/** Rows that a thread takes at once. */
const SEARCHED: i32 = 1;
const REFINED: i32 = 8;

// Fields of a job, bytes from its start: int32 and addresses, then float64.
const NEXT: usize = 0;
const ROW_START: usize = 4;
const ROW_STOP: usize = 8;
const COLUMN_START: usize = 12;
const COLUMN_STOP: usize = 16;
const REACH: usize = 20;
/** 0 … 3: search, with its flags; 4: refine. */
const MODE: usize = 24;
const SIDE: usize = 28;
const SPECTRA: usize = 32;
const TWIDDLES: usize = 36;
const BAND: usize = 40;
const WIDE_SPECTRA: usize = 44;
const TABLES: usize = 48;
const RESULTS: usize = 52;
const UNIT: usize = 56;
const RADIUS: usize = 64;

/**
 * Works on a job until none of its rows is left; any number of threads may. The results `[rows, columns rounded up to 4]`
 * are place along rows and columns, and height, float32. A search compares frame i of the rows with the frames j of the
 * columns, i < j ≤ i + reach, and with what shares their groups of four; it gives places in grid steps.
 *
 * @param job its fields as above; NEXT is the next row that nobody has taken.
 * @param scratch this thread's own.
 */
export function work(job: usize, scratch: usize): void {
  const columnStart = load<i32>(job, COLUMN_START);
  const columnStop = load<i32>(job, COLUMN_STOP);
  const rowStart = load<i32>(job, ROW_START);
  const rowStop = load<i32>(job, ROW_STOP);
  const mode = load<i32>(job, MODE);
  const width = (columnStop - columnStart + 3) & ~3;
  const some = mode === 4 ? REFINED : SEARCHED;
  while (true) {
    const i = atomic.add<i32>(job + NEXT, some);
    if (i >= rowStop) break;
    const results = <usize>load<u32>(job, RESULTS) + <usize>((i - rowStart) * width) * 12;
    if (mode === 4) {
      refineRows(
        i,
        min<i32>(i + some, rowStop),
        columnStart,
        columnStop,
        <usize>load<u32>(job, WIDE_SPECTRA),
        load<i32>(job, BAND),
        load<f64>(job, UNIT),
        load<f64>(job, RADIUS),
        <usize>load<u32>(job, TABLES),
        scratch,
        results,
        width,
      );
      continue;
    }
    const side = load<i32>(job, SIDE);
    const spectra = <usize>load<u32>(job, SPECTRA);
    const groupBytes = <usize>(side >> 1) * <usize>side * 32;
    const first = max<i32>(columnStart, i + 1) >> 2;
    const last = (min<i32>(columnStop, i + 1 + load<i32>(job, REACH)) + 3) >> 2;
    if (first >= last) continue;
    correlate(
      spectra + <usize>(i >> 2) * groupBytes + <usize>(i & 3) * 4,
      spectra + <usize>first * groupBytes,
      last - first,
      side,
      <usize>load<u32>(job, TWIDDLES),
      scratch,
      results + <usize>(first * 4 - columnStart) * 12,
      mode,
    );
  }
}
