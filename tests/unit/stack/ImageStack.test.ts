import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { countTensors } from '../../../src/backend/index.js';
import { isLeemError } from '../../../src/errors.js';
import { type FrameSource, ImageStack, type PixelArray } from '../../../src/stack/index.js';

const [N, H, W] = [7, 12, 15];
const pixelAt = (n: number, r: number, c: number): number => 1 + ((n * 1009 + r * 67 + c * 13) % 997);
const frames = Array.from({ length: N }, (_, n) =>
  Uint16Array.from({ length: H * W }, (_v, i) => pixelAt(n, Math.floor(i / W), i % W)),
);
const axis = { kind: 'energy', unit: 'eV', values: Float64Array.from({ length: N }, (_, n) => n / 2 - 1) } as const;
const stack = ImageStack.fromFrames(frames, [H, W], {
  axis,
  pixelSizeNanometers: 2.5,
  multiplier: Float64Array.from({ length: N }, (_, n) => n + 1),
  mcpBiasKilovolts: Float64Array.from({ length: N }, (_, n) => 1 + n / 10),
  paths: Array.from({ length: N }, (_, n) => `frame${n}.dat`),
});

const refusal = async (work: () => unknown): Promise<Error & { tag: string }> => {
  try {
    await work();
  } catch (error) {
    if (isLeemError(error)) return error;
    throw error;
  }
  throw new Error('not refused');
};

describe('views', () => {
  test('slices of slices, crops of crops and coarsening commute with reading', async () => {
    const view = fc.record({
      start: fc.nat(3),
      length: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
      row: fc.nat(3),
      column: fc.nat(3),
      height: fc.integer({ min: 4, max: 8 }),
      width: fc.integer({ min: 4, max: 8 }),
      inner: fc.nat(2),
      factor: fc.integer({ min: 1, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(view, fc.boolean(), async (v, cropFirst) => {
        const slice = (s: ImageStack): ImageStack => s.slice(v.start, v.start + v.length, v.stride);
        const crop = (s: ImageStack): ImageStack =>
          s
            .crop({ row: v.row, column: v.column, height: v.height, width: v.width })
            .crop({ row: v.inner, column: 0, height: v.height - v.inner, width: v.width })
            .coarsen(v.factor);
        const found = cropFirst ? slice(crop(stack)) : crop(slice(stack));
        const indices: number[] = [];
        for (let n = v.start; n < Math.min(N, v.start + v.length); n += v.stride) indices.push(n);
        const [rows, columns] = [Math.floor((v.height - v.inner) / v.factor), Math.floor(v.width / v.factor)];
        expect(found.shape).toEqual([indices.length, rows, columns]);
        for (const [k, n] of indices.entries()) {
          expect(found.sourceIndex(k)).toBe(n);
          const pixels = await found.frame(k);
          expect(pixels).toHaveLength(rows * columns);
          for (let r = 0; r < rows; r++) {
            for (let c = 0; c < columns; c++) {
              let sum = 0;
              for (let i = 0; i < v.factor; i++)
                for (let j = 0; j < v.factor; j++)
                  sum += pixelAt(n, v.row + v.inner + r * v.factor + i, v.column + c * v.factor + j);
              expect(pixels[r * columns + c]).toBeCloseTo(sum / v.factor ** 2, 3);
            }
          }
        }
        expect(Array.from(found.info.axis.values)).toEqual(indices.map((n) => axis.values[n]));
        expect(Array.from(found.info.multiplier ?? [])).toEqual(indices.map((n) => n + 1));
        expect(Array.from(found.info.mcpBiasKilovolts ?? [])).toEqual(indices.map((n) => 1 + n / 10));
        expect(found.info.paths).toEqual(indices.map((n) => `frame${n}.dat`));
        expect(found.info.pixelSizeNanometers).toBe(2.5 * v.factor);
        expect(found.info.pixelType).toBe(v.factor === 1 ? 'uint16' : 'float32');
      }),
      { numRuns: 60 },
    );
  });

  test('crops after coarsening count coarse pixels', async () => {
    const coarse = stack.coarsen(3);
    expect(coarse.shape).toEqual([7, 4, 5]);
    const part = coarse.crop({ row: 1, column: 2, height: 2, width: 3 });
    const [whole, some] = [await coarse.frame(2), await part.frame(2)];
    for (let r = 0; r < 2; r++) for (let c = 0; c < 3; c++) expect(some[r * 3 + c]).toBe(whole[(r + 1) * 5 + c + 2]);
    const twice = await stack.coarsen(2).coarsen(2).frame(1);
    const once = await stack.coarsen(4).frame(1);
    for (const [i, value] of once.entries()) expect(twice[i]).toBeCloseTo(value, 3);
  });

  test('coarsening keeps missing pixels missing', async () => {
    const floats = ImageStack.fromFrames([Float32Array.of(1, 3, 5, 7, Number.NaN, 1, 1, 1)], [2, 4]);
    expect(Array.from(await floats.coarsen(2).frame(0))).toEqual([Number.NaN, 3.5]);
    const counts = [Uint16Array.of(1, 3, 5, 7, 0, 1, 1, 1)];
    expect(Array.from(await ImageStack.fromFrames(counts, [2, 4], { zeroIsMissing: true }).coarsen(2).frame(0))).toEqual([
      0, 3.5,
    ]);
    expect(Array.from(await ImageStack.fromFrames(counts, [2, 4]).coarsen(2).frame(0))).toEqual([1.25, 3.5]);
  });

  test('nothing is read until a frame is asked for', async () => {
    const readFrame = vi.fn(async (n: number) => frames[n].slice());
    const lazy = new ImageStack({ info: stack.info, readFrame, close: async () => {} });
    const view = lazy.slice(2, 6, 2).crop({ row: 1, column: 1, height: 4, width: 4 }).coarsen(2);
    expect(readFrame).not.toHaveBeenCalled();
    await view.frame(1);
    expect(readFrame.mock.calls.map(([n]) => n)).toEqual([4]);
  });

  test('a frame belongs to the caller', async () => {
    const first = await stack.frame(0);
    first.fill(0);
    expect((await stack.frame(0))[0]).toBe(pixelAt(0, 0, 0));
  });

  test('defaults of a stack in memory', () => {
    const plain = ImageStack.fromFrames([new Int32Array(6), new Int32Array(6)], [2, 3]);
    expect(plain.info).toMatchObject({ pixelType: 'int32', format: 'memory', zeroIsMissing: false, warnings: [] });
    expect(plain.info.axis).toEqual({ kind: 'frame', unit: '', values: Float64Array.of(0, 1) });
    expect(plain.info.multiplier).toBeUndefined();
  });
});

describe('what cannot be is refused, on tag and words', () => {
  test.each<[string, () => unknown, string, string]>([
    ['stride', () => stack.slice(0, 7, 0), 'OptionError', "slice(): 'stride' must be a whole number from 1, got 0"],
    ['stride', () => stack.slice(0, 7, 1.5), 'OptionError', "slice(): 'stride' must be a whole number from 1, got 1.5"],
    ['start', () => stack.slice(7), 'OptionError', "slice(): 'start' must be from 0 and below 'stop' (7 of 7 frames), got 7"],
    ['start', () => stack.slice(-1), 'OptionError', "slice(): 'start' must be from 0 and below 'stop' (7 of 7 frames), got -1"],
    ['empty', () => stack.slice(3, 3), 'OptionError', "slice(): 'start' must be from 0 and below 'stop' (3 of 7 frames), got 3"],
    ['part of a frame', () => stack.slice(0.5), 'OptionError', "slice(): 'start' must be"],
    [
      'crop',
      () => stack.crop({ row: 1, column: 0, height: 12, width: 3 }),
      'ShapeError',
      "crop(): 'crop' must lie inside 12 × 15 pixels, got 12 × 3 at (1, 0)",
    ],
    ['crop', () => stack.crop({ row: 0, column: -1, height: 2, width: 3 }), 'ShapeError', 'got 2 × 3 at (0, -1)'],
    ['crop', () => stack.crop({ row: 0, column: 0, height: 0, width: 3 }), 'ShapeError', 'got 0 × 3 at (0, 0)'],
    ['part of a pixel', () => stack.crop({ row: 0.5, column: 0, height: 2, width: 3 }), 'ShapeError', "crop(): 'crop' must"],
    [
      'factor',
      () => stack.coarsen(0),
      'OptionError',
      "coarsen(): 'factor' must be a whole number from 1 to the frame's size, got 0",
    ],
    ['factor', () => stack.coarsen(13), 'OptionError', 'got 13'],
    ['frame', () => stack.frame(7), 'OptionError', "frame(): 'n' must be from 0 to 6, got 7"],
    ['frame', () => stack.frame(1.5), 'OptionError', "frame(): 'n' must be from 0 to 6, got 1.5"],
    ['none', () => ImageStack.fromFrames([], [2, 2]), 'ShapeError', "'frames' must hold at least one frame, got none"],
    [
      'sizes',
      () => ImageStack.fromFrames([new Uint8Array(4), new Uint8Array(5)], [2, 2]),
      'ShapeError',
      "ImageStack.fromFrames(): 'frames' must all hold 2 × 2 pixels, got 5 values in frame 1",
    ],
  ])('%s', async (_name, work, tag, words) => {
    const error = await refusal(work);
    expect(error.tag).toBe(tag);
    expect(error.message).toContain(words);
  });

  test('a stopped read', async () => {
    const error = await refusal(() => stack.frame(0, AbortSignal.abort()));
    expect([error.tag, error.message]).toEqual(['AbortedError', 'Reading a frame was stopped']);
  });
});

describe('tensors', () => {
  test('frameTensor and tensor hold the pixels; one tensor each, the caller’s', async () => {
    const before = countTensors();
    const part = stack.slice(1, 4).crop({ row: 2, column: 3, height: 4, width: 5 });
    const one = await part.frameTensor(2);
    const all = await part.tensor();
    expect(countTensors()).toBe(before + 2);
    expect([one.shape, all.shape, one.dtype]).toEqual([[4, 5], [3, 4, 5], 'float32']);
    expect((await all.array())[2]).toEqual(await one.array());
    expect((await one.array())[1][2]).toBe(pixelAt(3, 3, 5));
    one.dispose();
    all.dispose();
  });
});

describe('blocks', () => {
  const collect = async (memoryBytes?: number): Promise<{ sizes: number[]; frames: number[]; pixels: PixelArray[] }> => {
    const out = { sizes: [] as number[], frames: [] as number[], pixels: [] as PixelArray[] };
    for await (const block of stack.blocks(memoryBytes === undefined ? {} : { memoryBytes })) {
      out.sizes.push(block.frames.length);
      out.frames.push(...block.frames);
      out.pixels.push(...block.pixels);
      expect(block.pixels).toHaveLength(block.frames.length);
    }
    return out;
  };

  test('hold every frame once, in order, as many at a time as fit twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 20 * H * W * 2 }), async (memoryBytes) => {
        const found = await collect(memoryBytes);
        expect(found.frames).toEqual([0, 1, 2, 3, 4, 5, 6]);
        for (const [n, pixels] of found.pixels.entries()) expect(pixels).toEqual(frames[n]);
        const fit = Math.max(1, Math.floor(memoryBytes / (2 * H * W * 2)));
        for (const [b, size] of found.sizes.entries()) {
          expect(size).toBe(b === found.sizes.length - 1 ? 7 - fit * b : Math.min(7, fit));
        }
      }),
      { numRuns: 40 },
    );
    expect((await collect()).sizes).toEqual([7]);
  });

  test('the next block is read while one is used, and no more', async () => {
    const asked: number[] = [];
    const source: FrameSource = {
      info: stack.info,
      readFrame: async (n) => {
        asked.push(n);
        return frames[n].slice();
      },
      close: async () => {},
    };
    const blocks = new ImageStack(source).blocks({ memoryBytes: 2 * 2 * H * W * 2 });
    await blocks.next();
    expect(asked).toEqual([0, 1, 2, 3]);
    await blocks.return(undefined);
    expect(asked).toEqual([0, 1, 2, 3]);
  });

  test('a failing read ends the loop with its error, also where the block was read ahead', async () => {
    const readFrame = async (n: number): Promise<PixelArray> => {
      if (n >= 4) throw new Error('unplugged');
      return frames[n].slice();
    };
    const broken = new ImageStack({ info: stack.info, readFrame, close: async () => {} });
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const block of broken.blocks({ memoryBytes: 2 * 2 * H * W * 2 })) seen.push(...block.frames);
      })(),
    ).rejects.toThrow('unplugged');
    expect(seen).toEqual([0, 1, 2, 3]);
    // an early end leaves no rejection behind that nobody waits for
    for await (const _block of broken.blocks({ memoryBytes: 4 * 2 * H * W * 2 })) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

test('metadata and close reach the source', async () => {
  const close = vi.fn(async () => {});
  const source: FrameSource = {
    info: stack.info,
    readFrame: async (n) => frames[n].slice(),
    readFrameMetadata: async (n) => ({ n }),
    close,
  };
  const view = new ImageStack(source).slice(3);
  expect(await view.metadata(1)).toEqual({ n: 4 });
  expect(await stack.metadata(0)).toEqual({});
  await view.close();
  expect(close).toHaveBeenCalledOnce();
});
