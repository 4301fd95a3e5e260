/** Pixel types that a stack may hold. */
export type PixelType = 'uint8' | 'uint16' | 'uint32' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64';

/** The pixels of one frame, row by row. */
export type PixelArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** What changes from frame to frame: the landing energy, the time since the first frame, or only the frame's index. */
export interface StackAxis {
  readonly kind: 'energy' | 'time' | 'frame';
  /** `eV`, `s`, or empty for the index. */
  readonly unit: 'eV' | 's' | '';
  /** One value a frame, taken as the instrument gave it: it need not be monotonic. */
  readonly values: Float64Array;
}

/** All that is known of a stack without reading its pixels. */
export interface StackInfo {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly pixelType: PixelType;
  readonly axis: StackAxis;
  /** Size of a pixel on the sample, in nanometers. */
  readonly pixelSizeNanometers?: number | undefined;
  /** Per frame: stored = value · multiplier + pedestal. Undefined: 1 for every frame. */
  readonly multiplier?: Float64Array | undefined;
  /** Stored count of a value of 0; default 0. */
  readonly pedestal?: number | undefined;
  /** Bias of the channel plate for each frame, in kilovolts. */
  readonly mcpBiasKilovolts?: Float64Array | undefined;
  /** True where a stored 0 says "not measured" (leemlab's own layout), false where it is a count (a camera's file). */
  readonly zeroIsMissing: boolean;
  /** Name of the file format, e.g. `elmitec-dat`, `tiff`, `zarr`, `hdf5`, `nlp`, `memory`. */
  readonly format: string;
  /** The files that the stack was read from, in frame order where there is one a frame. */
  readonly paths: readonly string[];
  /** Metadata of the instrument and of earlier processing, as JSON values. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** What the reader had to assume, in the user's words (no energies found, a frame lost …). */
  readonly warnings: readonly string[];
}

/** Where an array `[N, H, W]` lies in a Zarr v3 store on the disk. */
export interface ZarrStorePlace {
  /** The group's folder. */
  readonly folder: string;
  /** Name of the array in the group; empty where the store is the array. */
  readonly array: string;
}

/** Where frames come from. Readers implement it; reads may overlap. */
export interface FrameSource {
  readonly info: StackInfo;
  /** Where others can read the same pixels, if they lie in a Zarr v3 store. */
  readonly zarr?: ZarrStorePlace | undefined;
  /** The pixels of frame `index`: `height · width` values, row by row, in an array that the caller owns. */
  readFrame(index: number, signal?: AbortSignal): Promise<PixelArray>;
  /** The instrument's metadata of one frame (all tags of the file), if the format has any. */
  readFrameMetadata?(index: number): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** How a frame is put on the output canvas (see `placeFrame`). */
export interface FramePlacement {
  /** Shift in pixels, [rows, columns], + down and + right: `output[r, c] = input[r − shift[0], c − shift[1]]`, bilinear. */
  readonly shift: readonly [number, number];
  /** Size of the input frame. */
  readonly height: number;
  readonly width: number;
  /** Size of the canvas. */
  readonly outHeight: number;
  readonly outWidth: number;
  /** stored = round(input · scale + offset), clamped to 1 … 65535. */
  readonly scale: number;
  readonly offset: number;
  /** Whether an input of 0 is "not measured". NaN always is. */
  readonly zeroIsMissing: boolean;
}

/** Where frames go. Writers implement it. Nothing stands under the final name before `finish` has resolved. */
export interface ChunkSink {
  /** Takes one frame of the output's shape and type. Resolves when the next frame may come (back-pressure). */
  writeFrame(index: number, pixels: PixelArray): Promise<void>;
  /**
   * Places an input frame on the output canvas (uint16) and writes it; a writer with worker threads does both there.
   * `pixels` is handed over: the caller must not use it afterwards.
   */
  writePlaced(index: number, pixels: PixelArray, placement: FramePlacement): Promise<void>;
  /** Waits for what is under way, and gives the result its final name. */
  finish(): Promise<void>;
  /** Stops, and removes what is unfinished. Safe to call twice, and after an error. */
  abort(): Promise<void>;
}
