/** Newton's method on the Taylor polynomial of one pair. The trust radius keeps it inside the polynomial's range. */
export function climbPeak(coefficients: Float64Array, radius: number, out: { x: number; y: number; value: number }): boolean {
  const c = coefficients;
  let x = 0;
  let y = 0;
  let inside = true;
  for (let step = 0; step < 8; step++) {
    // the order of TERMS: 1; x y; xx xy yy; xxx xxy xyy yyy; xxxx xxxy xxyy xyyy yyyy
    const gx =
      c[1] +
      2 * c[3] * x +
      c[4] * y +
      3 * c[6] * x * x +
      2 * c[7] * x * y +
      c[8] * y * y +
      4 * c[10] * x ** 3 +
      3 * c[11] * x * x * y +
      2 * c[12] * x * y * y +
      c[13] * y ** 3;
    const gy =
      c[2] +
      c[4] * x +
      2 * c[5] * y +
      c[7] * x * x +
      2 * c[8] * x * y +
      3 * c[9] * y * y +
      c[11] * x ** 3 +
      2 * c[12] * x * x * y +
      3 * c[13] * x * y * y +
      4 * c[14] * y ** 3;
    const hxx = 2 * c[3] + 6 * c[6] * x + 2 * c[7] * y + 12 * c[10] * x * x + 6 * c[11] * x * y + 2 * c[12] * y * y;
    const hyy = 2 * c[5] + 2 * c[8] * x + 6 * c[9] * y + 2 * c[12] * x * x + 6 * c[13] * x * y + 12 * c[14] * y * y;
    const hxy = c[4] + 2 * c[7] * x + 2 * c[8] * y + 3 * c[11] * x * x + 4 * c[12] * x * y + 3 * c[13] * y * y;
    const determinant = hxx * hyy - hxy * hxy;
    if (!(hxx < 0 && determinant > 0)) {
      inside = false; // not below a maximum
      break;
    }
    const dx = -(hyy * gx - hxy * gy) / determinant;
    const dy = -(hxx * gy - hxy * gx) / determinant;
    x += dx;
    y += dy;
    if (!(Math.hypot(x, y) <= radius)) {
      inside = false;
      break;
    }
    if (Math.abs(dx) + Math.abs(dy) < 1e-6) break;
  }
  out.x = x;
  out.y = y;
  out.value =
    c[0] +
    c[1] * x +
    c[2] * y +
    c[3] * x * x +
    c[4] * x * y +
    c[5] * y * y +
    c[6] * x ** 3 +
    c[7] * x * x * y +
    c[8] * x * y * y +
    c[9] * y ** 3 +
    c[10] * x ** 4 +
    c[11] * x ** 3 * y +
    c[12] * x * x * y * y +
    c[13] * x * y ** 3 +
    c[14] * y ** 4;
  return inside;
}
