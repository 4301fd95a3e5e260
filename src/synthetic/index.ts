export { type AnnulusOptions, type AnnulusSeries, annulusSeries } from './annulus.js';
export { grapheneReflectivity, TAIL_ENERGY } from './grapheneCurves.js';
export {
  type GrapheneSeries,
  type GrapheneSeriesOptions,
  type GrapheneSeriesTruth,
  simulateGrapheneSeries,
} from './grapheneSeries.js';
export { Random } from './random.js';
