/**
 * leemlab: low-energy electron microscopy on tfjs. The only door to the library; what is not exported here may change at
 * any time.
 *
 * - read and write: {@link openStack}, {@link ImageStack}, {@link createStackWriter}
 * - register: {@link registerStack}, or its steps {@link edgeFilter}, {@link gatherSpectra}, {@link correlateStack},
 *   {@link solveDrift}, {@link interpolateDrift}, {@link planShift}, {@link shiftStack}
 * - look: {@link driftSvg}, {@link qualitySvg}, {@link pairWeightsSvg}, {@link framesPng}, {@link writeReport}
 * - try out: {@link simulateGrapheneSeries}, {@link annulusSeries}, {@link driftError}
 * - play: {@link controls} in a notebook, {@link memory}
 * - compute on: {@link tf}, the one tfjs that all of it shares
 *
 * Positions are `[row, column]` in pixels, + down and + right. Errors are tagged ({@link isLeemError}).
 */
export {
  backendInfo,
  countTensors,
  eigh,
  irfft2d,
  type LeemRuntime,
  type MemoryUsage,
  memory,
  rfft2d,
  type Tf,
  tf,
} from './backend/index.js';
export * from './controls/index.js';
export * from './errors.js';
export type { HostChannel, HostProgress, LeemHost, MimeBundle } from './host.js';
export * from './io/index.js';
export * from './registration/index.js';
export * from './report/index.js';
export * from './stack/index.js';
export * from './synthetic/index.js';
