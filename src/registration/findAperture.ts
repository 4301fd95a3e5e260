import { median } from './statistics.js';

/** A round field of view: pixels farther than `radius` from the center see no sample. */
export interface Aperture {
  readonly row: number;
  readonly column: number;
  /** Pixels. */
  readonly radius: number;
}

const RAYS = 180;
/** A field of view is not smaller than this share of the frame's shorter side; smaller discs are of the sample. */
const LEAST_RADIUS = 0.3;
/** The light must fall at least by this factor at the edge … */
const DROP = 1.3;
/** … and stay below this share of the level inside, all the way out. */
const DARK = 0.8;

/**
 * Finds the hard edge of a round field of view in the mean of many frames: along rays from the middle, the place where the
 * light drops and stays low; then a circle through these places, without those that do not fit.
 *
 * @param mean `[height, width]`, counts.
 * @returns the circle, or undefined where fewer than a tenth of the rays meet an edge or the places form no circle.
 */
export function findAperture(mean: ArrayLike<number>, height: number, width: number): Aperture | undefined {
  const scale = Math.max(1, Math.floor(Math.min(height, width) / 200));
  const rows = Math.floor(height / scale);
  const columns = Math.floor(width / scale);
  const small = shrink(mean, width, scale, rows, columns);
  const places: [number, number][] = [];
  for (let ray = 0; ray < RAYS; ray++) {
    const angle = (2 * Math.PI * ray) / RAYS;
    const profile = sampleRay(small, rows, columns, angle);
    const edge = edgeOf(profile);
    if (edge !== undefined) places.push([rows / 2 + edge * Math.sin(angle), columns / 2 + edge * Math.cos(angle)]);
  }
  if (places.length < RAYS / 10) return undefined;
  const circle = fitCircle(places);
  if (!circle) return undefined;
  const found = { row: circle.row * scale, column: circle.column * scale, radius: circle.radius * scale };
  // a circle around more than the frame leaves every pixel valid
  const corner = Math.hypot(Math.max(found.row, height - found.row), Math.max(found.column, width - found.column));
  if (!(found.radius < corner && found.radius > LEAST_RADIUS * Math.min(height, width))) return undefined;
  return isLit(small, rows, columns, circle) ? found : undefined;
}

/** Whether the inside is bright all over: a ring is a feature of the sample, an aperture shows a disc. */
function isLit(image: Float64Array, rows: number, columns: number, { row, column, radius }: Aperture): boolean {
  const inside: number[] = [];
  const outside: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const distance = Math.hypot(r + 0.5 - row, c + 0.5 - column) / radius;
      if (distance < 0.9) inside.push(image[r * columns + c]);
      else if (distance > 1.05) outside.push(image[r * columns + c]);
    }
  }
  if (outside.length === 0) return false;
  const level = (median(inside) + median(outside)) / 2;
  return median(inside) > median(outside) && inside.filter((value) => value > level).length > 0.7 * inside.length;
}

function shrink(image: ArrayLike<number>, width: number, scale: number, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows * scale; r++) {
    for (let c = 0; c < columns * scale; c++) {
      out[Math.floor(r / scale) * columns + Math.floor(c / scale)] += image[r * width + c] / scale ** 2;
    }
  }
  return out;
}

function sampleRay(image: Float64Array, rows: number, columns: number, angle: number): number[] {
  const profile: number[] = [];
  for (let r = 0; ; r++) {
    const y = Math.round(rows / 2 + r * Math.sin(angle));
    const x = Math.round(columns / 2 + r * Math.cos(angle));
    if (y < 0 || x < 0 || y >= rows || x >= columns) return profile;
    profile.push(image[y * columns + x]);
  }
}

/** Distance at which the light drops for good, or undefined. */
function edgeOf(profile: readonly number[]): number | undefined {
  let best: number | undefined;
  let most = DROP;
  for (let r = 6; r + 4 < profile.length; r++) {
    const inside = median(profile.slice(r - 5, r - 1));
    const outside = median(profile.slice(r + 2, r + 6));
    const ratio = (inside + 1e-9) / (outside + 1e-9);
    if (ratio <= most) continue;
    const beyond = profile.slice(r + 2);
    if (beyond.filter((value) => value > DARK * inside).length > beyond.length / 10) continue;
    most = ratio;
    best = r;
  }
  return best;
}

/** Least-squares circle (Kåsa), repeated without the places that lie off it. */
function fitCircle(places: readonly (readonly [number, number])[]): Aperture | undefined {
  let kept = places;
  let circle: Aperture | undefined;
  for (let pass = 0; pass < 8; pass++) {
    circle = kasa(kept);
    if (!circle) return undefined;
    const { row, column, radius } = circle;
    const off = kept.map(([y, x]) => Math.abs(Math.hypot(y - row, x - column) - radius));
    const limit = Math.max(0.02 * radius, 1.5, 2.5 * median(off));
    const next = kept.filter((_, k) => off[k] <= limit);
    if (next.length === kept.length) break;
    kept = next;
  }
  if (!circle || kept.length < 0.6 * places.length || kept.length < RAYS / 12) return undefined;
  const { row, column, radius } = circle;
  const rms = Math.sqrt(kept.reduce((sum, [y, x]) => sum + (Math.hypot(y - row, x - column) - radius) ** 2, 0) / kept.length);
  return rms < 0.02 * radius + 0.5 ? circle : undefined;
}

function kasa(places: readonly (readonly [number, number])[]): Aperture | undefined {
  const n = places.length;
  const my = places.reduce((s, [y]) => s + y, 0) / n;
  const mx = places.reduce((s, [, x]) => s + x, 0) / n;
  let [yy, xx, xy, yz, xz] = [0, 0, 0, 0, 0];
  for (const [py, px] of places) {
    const y = py - my;
    const x = px - mx;
    const z = y * y + x * x;
    yy += y * y;
    xx += x * x;
    xy += x * y;
    yz += y * z;
    xz += x * z;
  }
  const determinant = yy * xx - xy * xy;
  if (!(Math.abs(determinant) > 1e-9 * (yy + xx) ** 2)) return undefined;
  const row = (yz * xx - xz * xy) / (2 * determinant);
  const column = (xz * yy - yz * xy) / (2 * determinant);
  return { row: row + my, column: column + mx, radius: Math.sqrt(row * row + column * column + (yy + xx) / n) };
}
