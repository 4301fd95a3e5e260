// AssemblyScript, compiled to WebAssembly. Four columns of a spectrum are computed side by side, one in each lane.

/** Bytes of one complex vector: real parts of four lanes, imaginary parts of four lanes. */
const COMPLEX: usize = 32;
/** Coefficients of a polynomial of fourth order in two variables. */
const TERMS: i32 = 15;
/** Times that the polynomial is taken anew about a better place. */
const PASSES: i32 = 3;
/** Pixels beyond which it is. */
const CLOSE: f64 = 0.75;
const STEPS: i32 = 8;

/** e^{i·angle·n} for n = 0 … count − 1, as pairs of float32 that `stride` bytes lie between. */
function phases(angle: f64, count: i32, at: usize, stride: usize, imaginary: usize): void {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  let re: f64 = 1;
  let im: f64 = 0;
  for (let n = 0; n < count; n++) {
    store<f32>(at, <f32>re);
    store<f32>(at + imaginary, <f32>im);
    const next = re * cos - im * sin;
    im = re * sin + im * cos;
    re = next;
    at += stride;
  }
}

/** Adds `powers`[b] · part of U · P to the moments of one row power. */
function gather(ur: v128, ui: v128, p: usize, powers: usize, step: usize, moments: usize, a: i32, rowSums: usize): void {
  const pr = v128.load(p);
  const pi = v128.load(p, 16);
  const real = f32x4.sub(f32x4.mul(ur, pr), f32x4.mul(ui, pi));
  const imaginary = f32x4.add(f32x4.mul(ur, pi), f32x4.mul(ui, pr));
  for (let b = 0; a + b <= 4; b++) {
    const n = a + b;
    // the terms of order n begin at n(n + 1) / 2, highest power of the row first
    const at = moments + ((<usize>((n * (n + 1)) / 2 + b)) << 4);
    const part = n & 1 ? imaginary : real;
    v128.store(at, f32x4.add(v128.load(at), f32x4.mul(part, v128.load(powers + <usize>b * step + rowSums))));
  }
}

/**
 * Taylor coefficients of the correlation of two frames about a shift, to the fourth order and exact in the band.
 *
 * @param one spectrum of frame i: for each four columns, row k = 0 … 2·band − 1 the real parts, then the imaginary parts.
 * @param two of frame j.
 * @param x, y the shift, radians per frequency along rows and columns.
 * @param tables for b = 0 … 4 the column weights (l / band)^b, twice for l > 0; then for each row k < band the powers
 *   k / band … (k / band)^4; then what each coefficient is multiplied by.
 * @param scratch see `refineRows`.
 * @param out the coefficients, float64.
 */
function coefficients(one: usize, two: usize, band: i32, x: f64, y: f64, tables: usize, scratch: usize, out: usize): void {
  const groups = (band + 3) >> 2;
  const step = <usize>groups * 16;
  const powers = tables + 5 * step;
  const factors = powers + <usize>band * 16;
  const moments = scratch;
  const rowPhase = moments + <usize>TERMS * 16;
  const columnPhase = rowPhase + <usize>band * 8;
  memory.fill(moments, 0, <usize>TERMS * 16);
  phases(x, band, rowPhase, 8, 4);
  for (let lane = 0; lane < 4; lane++) {
    // columns lane, lane + 4, …: start and step of the rotation differ, so each lane is made by itself
    const cos = Math.cos(4 * y);
    const sin = Math.sin(4 * y);
    let re = Math.cos(y * lane);
    let im = Math.sin(y * lane);
    let at = columnPhase + <usize>lane * 4;
    for (let g = 0; g < groups; g++) {
      store<f32>(at, <f32>re);
      store<f32>(at, <f32>im, 16);
      const next = re * cos - im * sin;
      im = re * sin + im * cos;
      re = next;
      at += COMPLEX;
    }
  }
  const height = <usize>band * 2 * COMPLEX;
  for (let g = 0; g < groups; g++) {
    let a = one + <usize>g * height;
    let b = two + <usize>g * height;
    let aBack = a + height;
    let bBack = b + height;
    // row 0
    let ar = v128.load(a);
    let ai = v128.load(a, 16);
    let br = v128.load(b);
    let bi = v128.load(b, 16);
    let u0r = f32x4.add(f32x4.mul(ar, br), f32x4.mul(ai, bi));
    let u0i = f32x4.sub(f32x4.mul(ar, bi), f32x4.mul(ai, br));
    let u1r = f32x4.splat(0);
    let u1i = u1r;
    let u2r = u1r;
    let u2i = u1r;
    let u3r = u1r;
    let u3i = u1r;
    let u4r = u1r;
    let u4i = u1r;
    let phase = rowPhase;
    let power = powers;
    for (let k = 1; k < band; k++) {
      a += COMPLEX;
      b += COMPLEX;
      aBack -= COMPLEX;
      bBack -= COMPLEX;
      phase += 8;
      power += 16;
      const wr = v128.load32_splat(phase);
      const wi = v128.load32_splat(phase, 4);
      // row k: conj(A)·B·e^{ikx}
      ar = v128.load(a);
      ai = v128.load(a, 16);
      br = v128.load(b);
      bi = v128.load(b, 16);
      let cr = f32x4.add(f32x4.mul(ar, br), f32x4.mul(ai, bi));
      let ci = f32x4.sub(f32x4.mul(ar, bi), f32x4.mul(ai, br));
      const pr = f32x4.sub(f32x4.mul(cr, wr), f32x4.mul(ci, wi));
      const pi = f32x4.add(f32x4.mul(cr, wi), f32x4.mul(ci, wr));
      // row −k
      ar = v128.load(aBack);
      ai = v128.load(aBack, 16);
      br = v128.load(bBack);
      bi = v128.load(bBack, 16);
      cr = f32x4.add(f32x4.mul(ar, br), f32x4.mul(ai, bi));
      ci = f32x4.sub(f32x4.mul(ar, bi), f32x4.mul(ai, br));
      const mr = f32x4.add(f32x4.mul(cr, wr), f32x4.mul(ci, wi));
      const mi = f32x4.sub(f32x4.mul(ci, wr), f32x4.mul(cr, wi));
      // even powers add, odd ones subtract
      const er = f32x4.add(pr, mr);
      const ei = f32x4.add(pi, mi);
      const or = f32x4.sub(pr, mr);
      const oi = f32x4.sub(pi, mi);
      u0r = f32x4.add(u0r, er);
      u0i = f32x4.add(u0i, ei);
      let w = v128.load32_splat(power);
      u1r = f32x4.add(u1r, f32x4.mul(or, w));
      u1i = f32x4.add(u1i, f32x4.mul(oi, w));
      w = v128.load32_splat(power, 4);
      u2r = f32x4.add(u2r, f32x4.mul(er, w));
      u2i = f32x4.add(u2i, f32x4.mul(ei, w));
      w = v128.load32_splat(power, 8);
      u3r = f32x4.add(u3r, f32x4.mul(or, w));
      u3i = f32x4.add(u3i, f32x4.mul(oi, w));
      w = v128.load32_splat(power, 12);
      u4r = f32x4.add(u4r, f32x4.mul(er, w));
      u4i = f32x4.add(u4i, f32x4.mul(ei, w));
    }
    const p = columnPhase + <usize>g * COMPLEX;
    const at = <usize>g * 16;
    gather(u0r, u0i, p, tables, step, moments, 0, at);
    gather(u1r, u1i, p, tables, step, moments, 1, at);
    gather(u2r, u2i, p, tables, step, moments, 2, at);
    gather(u3r, u3i, p, tables, step, moments, 3, at);
    gather(u4r, u4i, p, tables, step, moments, 4, at);
  }
  for (let t = 0; t < TERMS; t++) {
    const sum = v128.load(moments + ((<usize>t) << 4));
    const total =
      <f64>f32x4.extract_lane(sum, 0) +
      <f64>f32x4.extract_lane(sum, 1) +
      <f64>f32x4.extract_lane(sum, 2) +
      <f64>f32x4.extract_lane(sum, 3);
    store<f64>(out + ((<usize>t) << 3), total * load<f64>(factors + ((<usize>t) << 3)));
  }
}

function term(c: usize, t: usize): f64 {
  return load<f64>(c + (t << 3));
}

/** Value of the polynomial. The order of the terms: 1; x y; xx xy yy; xxx xxy xyy yyy; xxxx xxxy xxyy xyyy yyyy. */
function valueAt(c: usize, x: f64, y: f64): f64 {
  return (
    term(c, 0) +
    y * (term(c, 2) + y * (term(c, 5) + y * (term(c, 9) + y * term(c, 14)))) +
    x *
      (term(c, 1) +
        y * (term(c, 4) + y * (term(c, 8) + y * term(c, 13))) +
        x * (term(c, 3) + y * (term(c, 7) + y * term(c, 12)) + x * (term(c, 6) + y * term(c, 11) + x * term(c, 10))))
  );
}

/**
 * Newton's method up the polynomial, from 0.
 *
 * @param radius pixels within which it holds.
 * @param out x and y of the maximum, float64.
 * @returns whether there is a maximum inside.
 */
function climb(c: usize, radius: f64, out: usize): bool {
  let x: f64 = 0;
  let y: f64 = 0;
  let inside = true;
  for (let step = 0; step < STEPS; step++) {
    const xx = x * x;
    const xy = x * y;
    const yy = y * y;
    const gx =
      term(c, 1) +
      2 * term(c, 3) * x +
      term(c, 4) * y +
      3 * term(c, 6) * xx +
      2 * term(c, 7) * xy +
      term(c, 8) * yy +
      4 * term(c, 10) * xx * x +
      3 * term(c, 11) * xx * y +
      2 * term(c, 12) * x * yy +
      term(c, 13) * yy * y;
    const gy =
      term(c, 2) +
      term(c, 4) * x +
      2 * term(c, 5) * y +
      term(c, 7) * xx +
      2 * term(c, 8) * xy +
      3 * term(c, 9) * yy +
      term(c, 11) * xx * x +
      2 * term(c, 12) * xx * y +
      3 * term(c, 13) * x * yy +
      4 * term(c, 14) * yy * y;
    const hxx =
      2 * term(c, 3) +
      6 * term(c, 6) * x +
      2 * term(c, 7) * y +
      12 * term(c, 10) * xx +
      6 * term(c, 11) * xy +
      2 * term(c, 12) * yy;
    const hyy =
      2 * term(c, 5) +
      2 * term(c, 8) * x +
      6 * term(c, 9) * y +
      2 * term(c, 12) * xx +
      6 * term(c, 13) * xy +
      12 * term(c, 14) * yy;
    const hxy =
      term(c, 4) + 2 * term(c, 7) * x + 2 * term(c, 8) * y + 3 * term(c, 11) * xx + 4 * term(c, 12) * xy + 3 * term(c, 13) * yy;
    const determinant = hxx * hyy - hxy * hxy;
    if (!(hxx < 0 && determinant > 0)) {
      inside = false; // not below a maximum
      break;
    }
    const dx = (hxy * gy - hyy * gx) / determinant;
    const dy = (hxy * gx - hxx * gy) / determinant;
    x += dx;
    y += dy;
    if (!(x * x + y * y <= radius * radius)) {
      inside = false;
      break;
    }
    if (abs(dx) + abs(dy) < 1e-6) break;
  }
  store<f64>(out, x);
  store<f64>(out, y, 8);
  return inside;
}

/** One pair: `result` holds its coarse shift in pixels, and gets the refined one and the height there; float32. */
function refine(one: usize, two: usize, band: i32, unit: f64, radius: f64, tables: usize, scratch: usize, result: usize): void {
  const c = scratch;
  const peak = c + <usize>TERMS * 8 + 8;
  const rest = peak + 16;
  let row = <f64>load<f32>(result);
  let column = <f64>load<f32>(result, 4);
  let height: f64 = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    coefficients(one, two, band, row * unit, column * unit, tables, rest, c);
    if (!climb(c, radius, peak)) {
      if (pass === 0) height = term(c, 0); // where the refinement leaves its range, the coarse shift stays
      break;
    }
    const x = load<f64>(peak);
    const y = load<f64>(peak, 8);
    height = valueAt(c, x, y);
    row += x;
    column += y;
    if (x * x + y * y < CLOSE * CLOSE) break;
  }
  store<f32>(result, <f32>row);
  store<f32>(result, <f32>column, 4);
  store<f32>(result, <f32>height, 8);
}

/**
 * Refines pairs of some rows with all columns.
 *
 * @param spectra of all frames, see `coefficients`.
 * @param unit radians per frequency and pixel: 2π / window.
 * @param radius pixels within which the polynomial holds.
 * @param scratch (15 · 16 + band · 8 + (band + 3) · 8 + 15 · 8 + 24) bytes, aligned to 16.
 * @param results `[rows, width, 3]` float32: coarse shift in pixels and any height; pairs of height 0 are left alone.
 */
export function refineRows(
  rowStart: i32,
  rowStop: i32,
  columnStart: i32,
  columnStop: i32,
  spectra: usize,
  band: i32,
  unit: f64,
  radius: f64,
  tables: usize,
  scratch: usize,
  results: usize,
  width: i32,
): void {
  const frame = <usize>((band + 3) >> 2) * <usize>band * 2 * COMPLEX;
  // columns outside: their spectra stay in the cache for all of these rows
  for (let j = columnStart; j < columnStop; j++) {
    for (let i = rowStart; i < rowStop; i++) {
      const result = results + <usize>((i - rowStart) * width + j - columnStart) * 12;
      if (load<f32>(result, 8) === 0) continue;
      refine(spectra + <usize>i * frame, spectra + <usize>j * frame, band, unit, radius, tables, scratch, result);
    }
  }
}
