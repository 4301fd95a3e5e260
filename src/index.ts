export { backendInfo, countTensors, eigh, irfft2d, rfft2d, tf } from './backend/index.js';
export * from './errors.js';
export * from './io/index.js';
export * from './registration/index.js';
export * from './report/index.js';
export * from './stack/index.js';
export * from './synthetic/index.js';
