import type { WindowSpectra } from '../../../src/registration/windowSpectra.js';

/**
 * The low frequencies of images as `WindowSpectra` holds them, by the definition of the Fourier transform: rows, then
 * columns. No edge filter: the images themselves are what is compared.
 */
export function spectraOf(images: readonly ArrayLike<number>[], windowSize: number, band: number): WindowSpectra {
  const stored = band + 1;
  const stride = 2 * band * stored;
  const re = new Float32Array(images.length * stride);
  const im = new Float32Array(images.length * stride);
  const angle = -(2 * Math.PI) / windowSize;
  for (const [m, image] of images.entries()) {
    for (let l = 0; l < band; l++) {
      const lineRe = new Float64Array(windowSize);
      const lineIm = new Float64Array(windowSize);
      for (let r = 0; r < windowSize; r++) {
        for (let c = 0; c < windowSize; c++) {
          lineRe[r] += image[r * windowSize + c] * Math.cos(angle * l * c);
          lineIm[r] += image[r * windowSize + c] * Math.sin(angle * l * c);
        }
      }
      for (let k = 1 - band; k < band; k++) {
        let a = 0;
        let b = 0;
        for (let r = 0; r < windowSize; r++) {
          const cos = Math.cos(angle * k * r);
          const sin = Math.sin(angle * k * r);
          a += lineRe[r] * cos - lineIm[r] * sin;
          b += lineRe[r] * sin + lineIm[r] * cos;
        }
        const at = m * stride + (k < 0 ? k + 2 * band : k) * stored + l;
        re[at] = a;
        im[at] = b;
      }
    }
  }
  return { count: images.length, band, windowSize, stride, re, im };
}
