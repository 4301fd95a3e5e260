export { type DriftError, driftError } from './driftError.js';
export { type FramesPngOptions, framesPng } from './framesPng.js';
export { driftSvg, type PairWeightsSvgOptions, pairWeightsSvg, qualitySvg } from './registrationFigures.js';
export type {
  LoopOutlier,
  RegistrationReport,
  ReportAperture,
  ReportImage,
  ReportImages,
  ReportPairs,
  ReportPattern,
  ReportValue,
  RowsAndColumns,
} from './types.js';
export { writeReport } from './writeReport.js';
