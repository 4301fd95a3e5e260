/** An image for people: `[height, width]` values row by row; NaN where nothing was measured. */
export interface ReportImage {
  readonly pixels: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** Three images of a stack, before or after registration. */
export interface ReportImages {
  readonly first: ReportImage;
  readonly last: ReportImage;
  readonly mean: ReportImage;
}

/** One number for rows (+ down) and one for columns (+ right), for each of N frames; pixels. */
export interface RowsAndColumns {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
}

/** The pairs of M frames; matrices `[M, M]` row by row, of which only i < j is read. */
export interface ReportPairs {
  /** Which of the report's N frames they are: positions from 0 to N − 1, increasing. */
  readonly frames: ArrayLike<number>;
  /** Normalized peak height, 0 … 1; 0 or NaN: the pair takes no part. */
  readonly weights: Float32Array;
  /** `pairShift − (drift_j − drift_i)`, pixels; NaN where there is no such pair. */
  readonly residualRows: Float32Array;
  readonly residualColumns: Float32Array;
}

/** A pair that contradicts the others. `first` and `second` are indices in the input, as in drift.csv. */
export interface LoopOutlier {
  readonly first: number;
  readonly second: number;
  /** How far the measured shift lies from what the other pairs say, pixels. */
  readonly rows: number;
  readonly columns: number;
  readonly weight: number;
}

/** What stands still on the detector: a factor around 1 for each pixel; NaN outside the field of view. */
export interface ReportPattern {
  readonly image: ReportImage;
  /** Root mean square of factor − 1. */
  readonly rms: number;
  /** Whether the frames were divided by it before they were compared. */
  readonly used: boolean;
}

/** The part of the detector that shows the sample, in pixels of the input. */
export interface ReportAperture {
  /** Center and radius of a round field of view. */
  readonly disc?: { readonly row: number; readonly column: number; readonly radius: number } | undefined;
  /** Any other shape: 1 = valid. */
  readonly mask?: { readonly pixels: Uint8Array; readonly height: number; readonly width: number } | undefined;
}

/** A value of the parameter table. */
export type ReportValue = string | number | boolean | null | undefined;

/** All that `writeReport` shows of one registration. Arrays named "per frame" have N entries, N = rows of drift.csv. */
export interface RegistrationReport {
  /** What was registered, in the user's words: the input's name. */
  readonly title: string;
  readonly input: {
    readonly path: string;
    readonly format: string;
    readonly frames: number;
    readonly height: number;
    readonly width: number;
    readonly pixelType: string;
  };
  /** When the run ended. */
  readonly finishedAt: Date;
  /** Index in the input, per frame. */
  readonly frame: ArrayLike<number>;
  /** `label` without the unit: `Energy`, `Time`, `Frame`. */
  readonly axis: { readonly values: Float64Array; readonly unit: string; readonly label: string };
  /** Per frame, relative to the first used frame. */
  readonly drift: RowsAndColumns;
  /** One standard error per frame; Infinity or NaN where it is unknown. */
  readonly sigma: RowsAndColumns;
  /** Per frame, as in drift.csv. */
  readonly weight: ArrayLike<number>;
  /** Per frame: 1 = registered, 0 = interpolated. */
  readonly used: Uint8Array;
  /** Per frame: why it was not used or, for a used frame, why it is doubtful; '' otherwise. */
  readonly reason: readonly string[];
  readonly pairs: ReportPairs;
  readonly loopOutliers?: readonly LoopOutlier[] | undefined;
  /** In each of the two, the first used frame, the last used one, and the mean of `meanOf` frames (undefined: of all). */
  readonly images: { readonly before: ReportImages; readonly after: ReportImages; readonly meanOf?: number | undefined };
  readonly pixelSizeNanometers?: number | undefined;
  /** Square that was compared, in pixels of the input. */
  readonly window?: { readonly row: number; readonly column: number; readonly size: number } | undefined;
  readonly pattern?: ReportPattern | undefined;
  readonly aperture?: ReportAperture | undefined;
  /** Sentences on what was found and decided (pattern, aperture, refinement), shown with the summary. */
  readonly findings: readonly string[];
  readonly warnings: readonly string[];
  readonly parameters: Readonly<Record<string, ReportValue>>;
  readonly versions: Readonly<Record<string, string>>;
  /** Seconds of each phase and `total`. */
  readonly timings: Readonly<Record<string, number>>;
  readonly peakRssBytes?: number | undefined;
  /** The known drift of a simulated series, per frame; any constant offset. */
  readonly truth?: RowsAndColumns | undefined;
}

/** The part of a report that its charts over the frames show. */
export type FrameChartData = Pick<RegistrationReport, 'axis' | 'drift' | 'sigma' | 'weight' | 'used' | 'truth'>;

/** The part of a report that all its charts show. */
export type PairChartData = FrameChartData & Pick<RegistrationReport, 'pairs'>;

/** The part of a report that labels a matrix of pairs. */
export type MatrixChartData = Pick<RegistrationReport, 'axis' | 'frame'> & { readonly pairs: Pick<ReportPairs, 'frames'> };
