export { eigh } from './eigh.js';
export { irfft2d, rfft2d, sliceComplex } from './fft.js';
export { countTensors, readAll, readOut } from './memory.js';
export { type MemoryUsage, memory } from './memoryUsage.js';
export {
  fitsPairKernel,
  hasPairKernel,
  PairCorrelator,
  type PairJob,
  type PairSpectra,
  type PairSteps,
} from './PairCorrelator.js';
export { breathe, finishSteps, Pace, paceSteps, type Steps } from './pace.js';
export { type LeemRuntime, offerRuntime } from './runtime.js';
export { type BackendInfo, backendInfo, type Tf, tf } from './start.js';
