export { type CoarsePeaks, coarsePeaks, type FrameRange } from './correlatePairs.js';
export {
  type CorrelateStackOptions,
  coarseBand,
  correlateStack,
  countPairs,
  PAIR_BLOCK,
  type PairBlock,
  type PairCheckpoint,
  type PairChoice,
} from './correlateStack.js';
export { type DescendDriftOptions, type DescentStep, descendDrift } from './descendDrift.js';
export { type DriftTable, driftTable } from './driftQuality.js';
export { DriftVariance, type DriftVarianceInput, type PatternChange } from './driftVariance.js';
export { EdgeFilter, type EdgeFilterPlan, edgeFilter, planEdgeFilter } from './edgeFilter.js';
export { type Aperture, findAperture } from './findAperture.js';
export { type FixedPattern, type FixedPatternOptions, findFixedPattern, type SampleDrift } from './fixedPattern.js';
export { bandOf, gatherSpectra } from './gatherSpectra.js';
export { interpolateDrift } from './interpolateDrift.js';
export { type PairResiduals, pairResiduals } from './pairResiduals.js';
export { automaticMinWeight } from './pairWeights.js';
export { type PartErrorOptions, type PartErrors, partErrors } from './partErrors.js';
export type { RegionPattern } from './patternSample.js';
export { type RefinedPeaks, refinePeaks, selfCorrelations } from './refinePeaks.js';
export { type RegisterOptions, type RegisterStage, type Registration, registerStack } from './registerStack.js';
export { type PlanShiftOptions, planShift, type ShiftPlan, type ShiftStackOptions, shiftStack } from './shiftStack.js';
export { type DriftSolution, type PairTable, type SolveDriftOptions, solveDrift } from './solveDrift.js';
export { type PixelCorrection, WindowCutter, type WindowPlace } from './windowCutter.js';
export { SpectraBuilder, type WindowSpectra } from './windowSpectra.js';
