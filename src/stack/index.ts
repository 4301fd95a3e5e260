export { type Crop, ImageStack, type StackBlock } from './ImageStack.js';
export { BYTES_PER_PIXEL, isIntegerType, PIXEL_ARRAYS } from './pixels.js';
export { placeFrame } from './placeFrame.js';
export type {
  ChunkSink,
  FramePlacement,
  FrameSource,
  PixelArray,
  PixelType,
  StackAxis,
  StackInfo,
  ZarrStorePlace,
} from './types.js';
