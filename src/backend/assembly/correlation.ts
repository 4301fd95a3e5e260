// AssemblyScript, compiled to WebAssembly. Four pairs of frames are computed side by side, one in each lane of a vector.

/** Bytes of one complex vector: real parts of four lanes, imaginary parts of four lanes. */
const COMPLEX: usize = 32;
/** Search for the maximum, too; without it only the transforms are done. */
const SEARCH: i32 = 1;
/** Multiply the spectra first; without it those of the groups are transformed as they are. */
const PRODUCT: i32 = 2;

function re(at: usize): v128 {
  return v128.load(at);
}

function im(at: usize): v128 {
  return v128.load(at, 16);
}

function put(at: usize, real: v128, imaginary: v128): void {
  v128.store(at, real);
  v128.store(at, imaginary, 16);
}

/** Stores a · w. */
function putTurned(at: usize, ar: v128, ai: v128, wr: v128, wi: v128): void {
  put(at, f32x4.sub(f32x4.mul(ar, wr), f32x4.mul(ai, wi)), f32x4.add(f32x4.mul(ar, wi), f32x4.mul(ai, wr)));
}

/** One radix-4 step of Stockham's inverse transform: `length` remaining points, `span` transforms side by side. */
function step4(x: usize, y: usize, length: i32, span: i32, w: usize): void {
  const quarter = length >> 2;
  const gap = <usize>(span * quarter) * COMPLEX;
  const stride = <usize>span * COMPLEX;
  for (let p = 0; p < quarter; p++) {
    const t = w + <usize>p * 24;
    const w1r = v128.load32_splat(t);
    const w1i = v128.load32_splat(t, 4);
    const w2r = v128.load32_splat(t, 8);
    const w2i = v128.load32_splat(t, 12);
    const w3r = v128.load32_splat(t, 16);
    const w3i = v128.load32_splat(t, 20);
    let from = x + <usize>(span * p) * COMPLEX;
    let to = y + <usize>(span * 4 * p) * COMPLEX;
    for (let q = 0; q < span; q++) {
      const ar = re(from);
      const ai = im(from);
      const br = re(from + gap);
      const bi = im(from + gap);
      const cr = re(from + 2 * gap);
      const ci = im(from + 2 * gap);
      const dr = re(from + 3 * gap);
      const di = im(from + 3 * gap);
      const acr = f32x4.add(ar, cr);
      const aci = f32x4.add(ai, ci);
      const amr = f32x4.sub(ar, cr);
      const ami = f32x4.sub(ai, ci);
      const bdr = f32x4.add(br, dr);
      const bdi = f32x4.add(bi, di);
      // i · (b − d)
      const bmr = f32x4.sub(di, bi);
      const bmi = f32x4.sub(br, dr);
      put(to, f32x4.add(acr, bdr), f32x4.add(aci, bdi));
      if (p === 0) {
        put(to + stride, f32x4.add(amr, bmr), f32x4.add(ami, bmi));
        put(to + 2 * stride, f32x4.sub(acr, bdr), f32x4.sub(aci, bdi));
        put(to + 3 * stride, f32x4.sub(amr, bmr), f32x4.sub(ami, bmi));
      } else {
        putTurned(to + stride, f32x4.add(amr, bmr), f32x4.add(ami, bmi), w1r, w1i);
        putTurned(to + 2 * stride, f32x4.sub(acr, bdr), f32x4.sub(aci, bdi), w2r, w2i);
        putTurned(to + 3 * stride, f32x4.sub(amr, bmr), f32x4.sub(ami, bmi), w3r, w3i);
      }
      from += COMPLEX;
      to += COMPLEX;
    }
  }
}

/** One radix-2 step; for a length that is 2 or 6 times a power of 4. */
function step2(x: usize, y: usize, length: i32, span: i32, w: usize): void {
  const half = length >> 1;
  const gap = <usize>(span * half) * COMPLEX;
  const stride = <usize>span * COMPLEX;
  for (let p = 0; p < half; p++) {
    const t = w + <usize>p * 8;
    const wr = v128.load32_splat(t);
    const wi = v128.load32_splat(t, 4);
    let from = x + <usize>(span * p) * COMPLEX;
    let to = y + <usize>(span * 2 * p) * COMPLEX;
    for (let q = 0; q < span; q++) {
      const ar = re(from);
      const ai = im(from);
      const br = re(from + gap);
      const bi = im(from + gap);
      put(to, f32x4.add(ar, br), f32x4.add(ai, bi));
      putTurned(to + stride, f32x4.sub(ar, br), f32x4.sub(ai, bi), wr, wi);
      from += COMPLEX;
      to += COMPLEX;
    }
  }
}

/** The last step of a length that holds the factor 3. */
function step3(x: usize, y: usize, span: i32): void {
  const gap = <usize>span * COMPLEX;
  const half = f32x4.splat(0.5);
  const root = f32x4.splat(0.8660254037844386);
  for (let q = 0; q < span; q++) {
    const at = <usize>q * COMPLEX;
    const ar = re(x + at);
    const ai = im(x + at);
    const br = re(x + at + gap);
    const bi = im(x + at + gap);
    const cr = re(x + at + 2 * gap);
    const ci = im(x + at + 2 * gap);
    const sr = f32x4.add(br, cr);
    const si = f32x4.add(bi, ci);
    const mr = f32x4.sub(ar, f32x4.mul(half, sr));
    const mi = f32x4.sub(ai, f32x4.mul(half, si));
    // i · √3 / 2 · (b − c)
    const tr = f32x4.mul(root, f32x4.sub(ci, bi));
    const ti = f32x4.mul(root, f32x4.sub(br, cr));
    put(y + at, f32x4.add(ar, sr), f32x4.add(ai, si));
    put(y + at + gap, f32x4.add(mr, tr), f32x4.add(mi, ti));
    put(y + at + 2 * gap, f32x4.sub(mr, tr), f32x4.sub(mi, ti));
  }
}

/** Inverse transform of `size` points from `a` (which is overwritten, with `b`) to `out`. */
function transform(size: i32, a: usize, b: usize, out: usize, twiddles: usize): void {
  let length = size;
  let span = 1;
  let from = a;
  let to = b;
  let w = twiddles;
  while (length > 1) {
    const radix = length % 4 === 0 ? 4 : length % 2 === 0 ? 2 : 3;
    if (length === radix) to = out;
    if (radix === 4) step4(from, to, length, span, w);
    else if (radix === 2) step2(from, to, length, span, w);
    else step3(from, to, span);
    w += <usize>((length / radix) * (radix - 1)) * 8;
    length /= radix;
    span *= radix;
    const swap = from;
    from = to;
    to = swap;
  }
}

/** Vertex of the parabola through three equidistant values, in steps from the middle one. */
function parabola(left: f32, middle: f32, right: f32): f32 {
  const curvature = left - 2 * middle + right;
  return curvature < 0 ? max<f32>(-0.5, min<f32>(0.5, (left - right) / (2 * curvature))) : 0;
}

/**
 * Correlation maxima of one frame with groups of four frames. Spectra lie in groups of four frames: for column l = 0 …
 * size / 2 − 1 and row k = 0 … size − 1 the four real parts, then the four imaginary parts.
 *
 * @param one first value of the frame's lane in its group.
 * @param many the first group; `groups` of them.
 * @param size side of the transforms: 2^a or 3 · 2^a, from 16.
 * @param twiddles for each step of radix r and each p below length / r: e^{2πi·p·k / length}, k = 1 … r − 1.
 * @param scratch (size / 2 · (size + 1) + 3 · size) · 32 + size² · 16 bytes, aligned to 16.
 * @param out for each pair of each group: position along rows and columns in grid steps, height; float32.
 */
export function correlate(
  one: usize,
  many: usize,
  groups: i32,
  size: i32,
  twiddles: usize,
  scratch: usize,
  out: usize,
  mode: i32,
): void {
  const half = size >> 1;
  const line = <usize>size * COMPLEX;
  const column = line + COMPLEX; // not a power of 2, which would share cache sets
  const a = scratch;
  const b = a + line;
  const c = b + line;
  const columns = c + line;
  const map = columns + <usize>half * column;
  const groupBytes = <usize>half * line;
  for (let g = 0; g < groups; g++) {
    const spectrum = many + <usize>g * groupBytes;
    for (let l = 0; l < half; l++) {
      const f = one + <usize>l * line;
      const s = spectrum + <usize>l * line;
      if (mode & PRODUCT) {
        for (let k: usize = 0; k < line; k += COMPLEX) {
          const fr = v128.load32_splat(f + k);
          const fi = v128.load32_splat(f + k, 16);
          const sr = re(s + k);
          const si = im(s + k);
          // conj(F) · S
          put(a + k, f32x4.add(f32x4.mul(fr, sr), f32x4.mul(fi, si)), f32x4.sub(f32x4.mul(fr, si), f32x4.mul(fi, sr)));
        }
      } else memory.copy(a, s, line);
      transform(size, a, b, columns + <usize>l * column, twiddles);
    }
    let top = f32x4.splat(-Infinity);
    let best = i32x4.splat(0);
    for (let r = 0; r < size; r += 2) {
      // two rows at once: they are real, so one becomes the real part, the other the imaginary part
      let at = columns + <usize>r * COMPLEX;
      put(a, re(at), re(at + COMPLEX));
      const zero = f32x4.splat(0);
      put(a + <usize>half * COMPLEX, zero, zero);
      let up = a + COMPLEX;
      let down = a + line - COMPLEX;
      for (let l = 1; l < half; l++) {
        at += column;
        const xr = re(at);
        const xi = im(at);
        const yr = re(at + COMPLEX);
        const yi = im(at + COMPLEX);
        put(up, f32x4.sub(xr, yi), f32x4.add(xi, yr));
        put(down, f32x4.add(xr, yi), f32x4.sub(yr, xi));
        up += COMPLEX;
        down -= COMPLEX;
      }
      transform(size, a, b, c, twiddles);
      if (!(mode & SEARCH)) continue;
      let first = map + <usize>(r * size) * 16;
      const second = <usize>size * 16;
      let index = i32x4.splat(r * size);
      const next = i32x4.splat(1);
      const below = i32x4.splat(size);
      for (let k: usize = 0; k < line; k += COMPLEX) {
        const x = re(c + k);
        const y = im(c + k);
        v128.store(first, x);
        v128.store(first + second, y);
        first += 16;
        let higher = f32x4.gt(x, top);
        top = v128.bitselect(x, top, higher);
        best = v128.bitselect(index, best, higher);
        higher = f32x4.gt(y, top);
        top = v128.bitselect(y, top, higher);
        best = v128.bitselect(i32x4.add(index, below), best, higher);
        index = i32x4.add(index, next);
      }
    }
    if (!(mode & SEARCH)) continue;
    v128.store(a, best);
    for (let lane = 0; lane < 4; lane++) {
      const place = load<i32>(a + <usize>lane * 4);
      const row = place / size;
      const col = place % size;
      const values = map + <usize>lane * 4;
      const middle = load<f32>(values + <usize>place * 16);
      // the correlation is periodic: neighbors wrap around, positions beyond the middle are negative
      const above = load<f32>(values + <usize>(((row + size - 1) % size) * size + col) * 16);
      const under = load<f32>(values + <usize>(((row + 1) % size) * size + col) * 16);
      const left = load<f32>(values + <usize>(row * size + ((col + size - 1) % size)) * 16);
      const right = load<f32>(values + <usize>(row * size + ((col + 1) % size)) * 16);
      const to = out + <usize>(g * 4 + lane) * 12;
      store<f32>(to, <f32>(row < half ? row : row - size) + parabola(above, middle, under));
      store<f32>(to, <f32>(col < half ? col : col - size) + parabola(left, middle, right), 4);
      store<f32>(to, middle, 8);
    }
  }
}
