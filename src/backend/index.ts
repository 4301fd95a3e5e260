export { eigh } from './eigh.js';
export { irfft2d, rfft2d } from './fft.js';
export { breathe, countTensors, readAll, readOut } from './memory.js';
export { type BackendInfo, backendInfo, type Tf, tf } from './start.js';
