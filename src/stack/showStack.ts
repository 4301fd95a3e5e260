import { relative, sep } from 'node:path';
import { isLeemError } from '../errors.js';
import type { MimeBundle } from '../host.js';
import { MOST_AXIS_VALUES, STACK_MIME_TYPE, type StackBundle } from '../wire/index.js';
import { escapeText } from './escapeText.js';
import { joinImages } from './joinImages.js';
import { GREYS } from './palettePng.js';
import { type Contrast, encodePng, type FloatImage, percentileContrast, shrinkImage } from './pngImage.js';
import type { PixelArray, StackInfo, ZarrStorePlace } from './types.js';

/** What is shown of a stack. */
export interface ShownStack {
  readonly info: StackInfo;
  frame(n: number): Promise<PixelArray>;
  /** Where all its pixels lie, if they lie in a Zarr v3 store as they are. */
  readonly zarr: ZarrStorePlace | undefined;
}

/** Longest side of a frame in the picture of three, pixels. */
const SIDE = 264;

/**
 * A stack for the eye: in words; its first, middle and last frame in a picture, each in its own contrast; and, where a
 * viewer can read it, where it lies. Reads three frames.
 *
 * @returns texts and a PNG of at most 800 pixels; only the text where the frames cannot be read any more.
 * @throws AbortedError
 */
export async function showStack(stack: ShownStack): Promise<MimeBundle> {
  const text = describeStack(stack.info);
  try {
    const { frames } = stack.info;
    const places = [...new Set([0, frames >> 1, frames - 1])];
    const images: FloatImage[] = [];
    for (const n of places) images.push(imageOf(await stack.frame(n), stack.info));
    const contrasts = images.map((image) => percentileContrast(image));
    const sheet = joinImages(
      images.map((image) => shrinkImage(image, SIDE)),
      contrasts,
      places.length,
    );
    const bundle = stack.zarr && stackBundle(stack.info, stack.zarr, contrasts);
    const png = encodePng(sheet, GREYS, { low: 0, high: 1 });
    return {
      data: {
        ...(bundle ? { [STACK_MIME_TYPE]: bundle } : {}),
        'text/html': `<div>${escapeText(text)}</div><img alt="first, middle and last frame" src="data:image/png;base64,${Buffer.from(png).toString('base64')}">`,
        'image/png': png,
        'text/plain': text,
      },
    };
  } catch (error) {
    if (isLeemError(error, 'AbortedError')) throw error;
    return { data: { 'text/plain': text } };
  }
}

/** `ImageStack 240 frames of 600 × 592 uint16, −4.0 … 19.9 eV, 66.7 nm a pixel, elmitec-dat`. */
export function describeStack({ frames, height, width, pixelType, axis, pixelSizeNanometers, format }: StackInfo): string {
  const { kind, unit, values } = axis;
  const range = `${formatNumber(values[0])} … ${formatNumber(values[values.length - 1])} ${unit}`;
  const size = pixelSizeNanometers === undefined ? '' : `, ${Number(pixelSizeNanometers.toPrecision(3))} nm a pixel`;
  return `ImageStack ${frames} frame${frames === 1 ? '' : 's'} of ${height} × ${width} ${pixelType}${kind === 'frame' ? '' : `, ${range}`}${size}, ${format}`;
}

function formatNumber(value: number): string {
  return value.toFixed(1).replace('-', '−');
}

function imageOf(frame: PixelArray, { height, width, zeroIsMissing }: StackInfo): FloatImage {
  const pixels = Float32Array.from(frame, (value) => (zeroIsMissing && value === 0 ? Number.NaN : value));
  return { pixels, height, width };
}

/** Where the store lies as seen from the working folder, which is the notebook's; undefined where there is no way to it. */
function stackBundle(
  info: StackInfo,
  { folder, array }: ZarrStorePlace,
  contrasts: readonly Contrast[],
): StackBundle | undefined {
  const path = relative(process.cwd(), folder).split(sep).join('/');
  if (path === '' || /^\/|^[^/]*:|\\/.test(path)) return undefined;
  const { frames, height, width, pixelType, axis, pixelSizeNanometers, zeroIsMissing } = info;
  const values = Array.from(axis.values, (value) => Number(value.toPrecision(9)));
  const known = values.length <= MOST_AXIS_VALUES && values.every(Number.isFinite);
  return {
    version: 1,
    path,
    array,
    shape: [frames, height, width],
    dataType: pixelType,
    axis: { name: axis.kind, unit: axis.unit, values: known ? values : [] },
    ...(pixelSizeNanometers === undefined ? {} : { pixelSizeNanometers }),
    zeroIsMissing,
    contrast: { low: Math.min(...contrasts.map(({ low }) => low)), high: Math.max(...contrasts.map(({ high }) => high)) },
  };
}
