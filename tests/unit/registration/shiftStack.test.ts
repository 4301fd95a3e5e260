import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLeemError } from '../../../src/errors.js';
import { planShift, type ShiftPlan, shiftStack } from '../../../src/registration/index.js';
import { type ChunkSink, ImageStack, type PixelArray, placeFrame, type StackInfo } from '../../../src/stack/index.js';
import { Random } from '../../../src/synthetic/index.js';

/** A sink that places frames at once and keeps them. */
function memorySink(): ChunkSink & { readonly frames: Map<number, Uint16Array> } {
  const frames = new Map<number, Uint16Array>();
  return {
    frames,
    writeFrame: async () => expect.unreachable(),
    writePlaced: async (index, pixels, placement) => {
      frames.set(index, placeFrame(pixels, placement));
    },
    finish: async () => {},
    abort: async () => {},
  };
}

const still = (count: number): { row: Float64Array; column: Float64Array } => ({
  row: new Float64Array(count),
  column: new Float64Array(count),
});

/** Values as a reader of the output gets them: NaN where nothing was measured. */
function valuesOf(stored: Uint16Array, plan: ShiftPlan, n: number): Float64Array {
  return Float64Array.from(stored, (value) => (value === 0 ? Number.NaN : (value - plan.pedestal) / plan.multiplier[n]));
}

const [H, W] = [6, 7];
type Kind = 'uint8' | 'uint16' | 'int16' | 'int32' | 'uint32' | 'float32' | 'float64';

/** Frames of one type with values from `low` to `high`. */
function stackOf(type: Kind, low: number, high: number, seed: number, info: Partial<StackInfo> = {}): ImageStack {
  const types = {
    uint8: Uint8Array,
    uint16: Uint16Array,
    int16: Int16Array,
    int32: Int32Array,
    uint32: Uint32Array,
    float32: Float32Array,
    float64: Float64Array,
  };
  const frames = Array.from({ length: 3 }, (_, n) => {
    const random = new Random(seed, n);
    // frames of different brightness, and both ends present
    const scale = 1 / (n + 1);
    const values = Array.from({ length: H * W }, (_, i) =>
      i === 0 ? low : i === 1 ? high : low * scale + random.uniform() * (high - low) * scale,
    );
    return types[type].from(type.startsWith('float') ? values : values.map(Math.round)) as PixelArray;
  });
  return ImageStack.fromFrames(frames, [H, W], info);
}

describe('value = (stored − pedestal) / multiplier', () => {
  test.each<[Kind, number, number, Partial<StackInfo>]>([
    ['uint8', 0, 255, {}],
    ['uint8', 3, 200, {}],
    ['uint16', 0, 65534, {}],
    ['uint16', 1, 65535, {}],
    ['uint16', 5, 60000, { multiplier: Float64Array.of(1, 2.5, 8), pedestal: 100 }],
    ['int16', -300, 32000, {}],
    ['int16', -32768, -5, {}],
    ['int32', -5, 2e9, {}],
    ['uint32', 0, 4e9, {}],
    ['float32', -0.25, 1, {}],
    ['float32', 0, 3e-7, {}],
    ['float32', 1e20, 5e20, {}],
    ['float64', -1, -0.001, {}],
    ['float64', -1, 1e-3, { multiplier: Float64Array.of(3, 4, 5), pedestal: -7 }],
    ['float32', 2, 9, { pedestal: 2, multiplier: Float64Array.of(1, 10, 100) }],
  ])('holds for %s from %f to %f', async (type, low, high, info) => {
    const stack = stackOf(type, low, high, 4, info);
    const plan = await planShift(stack, still(3), { least: low });
    const sink = memorySink();
    await shiftStack(stack, plan, sink);
    for (let n = 0; n < 3; n++) {
      const input = await stack.frame(n);
      const stored = sink.frames.get(n) as Uint16Array;
      const values = valuesOf(stored, plan, n);
      const { pedestal = 0, multiplier } = stack.info;
      for (const [i, count] of input.entries()) {
        // the value that the input's own pedestal and multiplier mean, to half a stored count
        const value = (count - pedestal) / (multiplier?.[n] ?? 1);
        expect(stored[i]).toBeGreaterThanOrEqual(1);
        expect(Math.abs(values[i] - value) * plan.multiplier[n], `frame ${n}, pixel ${i}`).toBeLessThanOrEqual(0.501);
      }
      if (type.startsWith('float')) {
        // no bits are wasted: the frame reaches one of the ends
        const [least, most] = [Math.min(...stored), Math.max(...stored)];
        expect(most > 65000 || least < 500).toBe(true);
      }
    }
  });

  test('integers of 16 bits and less keep their counts', async () => {
    for (const type of ['uint8', 'uint16'] as const) {
      const stack = stackOf(type, 1, 250, 2);
      const plan = await planShift(stack, still(3), { least: 1 });
      expect([plan.pedestal, ...plan.multiplier]).toEqual([0, 1, 1, 1]);
      const sink = memorySink();
      await shiftStack(stack, plan, sink);
      for (let n = 0; n < 3; n++) expect(Array.from(sink.frames.get(n) ?? [])).toEqual(Array.from(await stack.frame(n)));
    }
  });

  test('a 0 that was measured is told from one that was not', async () => {
    const measured = stackOf('uint16', 0, 900, 3);
    const plan = await planShift(measured, still(3), { least: 0 });
    expect(plan.pedestal).toBe(1);
    expect((await planShift(measured, still(3))).pedestal).toBe(1);
    const missing = stackOf('uint16', 0, 900, 3, { zeroIsMissing: true });
    const other = await planShift(missing, still(3), { least: 0 });
    expect(other.pedestal).toBe(0);
    const sink = memorySink();
    await shiftStack(missing, other, sink);
    expect(sink.frames.get(0)?.[0]).toBe(0);
  });

  test('a 16-bit stack that holds both ends of its range keeps both', async () => {
    const stack = stackOf('uint16', 0, 65535, 4, { pedestal: 100 });
    const plan = await planShift(stack, still(3), { least: 0, most: 65535 });
    const sink = memorySink();
    await shiftStack(stack, plan, sink);
    for (let n = 0; n < 3; n++) {
      const read = valuesOf(sink.frames.get(n) as Uint16Array, plan, n);
      const counts = await stack.frame(n);
      expect(read[0] + 100).toBeCloseTo(0, 9);
      expect(read[1] + 100).toBeCloseTo(65535, 9);
      for (const [i, value] of read.entries()) expect(Math.abs(value + 100 - counts[i])).toBeLessThan(0.501);
    }
    // below the upper end there is room for the pedestal, and the counts stay whole
    expect([...(await planShift(stack, still(3), { least: 0, most: 65534 })).multiplier]).toEqual([1, 1, 1]);
  });

  test('every frame is seen, in order, before it is handed over', async () => {
    const stack = stackOf('uint16', 1, 900, 5);
    const seen: [number, number][] = [];
    await shiftStack(stack, await planShift(stack, still(3)), memorySink(), {
      onFrame: (n, pixels) => seen.push([n, pixels[1]]),
    });
    expect(seen).toEqual(await Promise.all([0, 1, 2].map(async (n) => [n, (await stack.frame(n))[1]])));
  });

  test('frames without anything measured, and all-equal ones', async () => {
    const frames = [new Float32Array(H * W).fill(Number.NaN), new Float32Array(H * W), new Float32Array(H * W).fill(-3)];
    const stack = ImageStack.fromFrames(frames, [H, W]);
    const plan = await planShift(stack, still(3));
    const sink = memorySink();
    await shiftStack(stack, plan, sink);
    expect(sink.frames.get(0)?.every((value) => value === 0)).toBe(true);
    for (const [n, value] of [
      [1, 0],
      [2, -3],
    ]) {
      for (const found of valuesOf(sink.frames.get(n) as Uint16Array, plan, n)) expect(found).toBeCloseTo(value, 4);
    }
  });

  test('NaN and infinite pixels are not measured', async () => {
    const pixels = Float32Array.from({ length: H * W }, (_, i) => 1 + i);
    pixels[8] = Number.NaN;
    pixels[16] = Number.POSITIVE_INFINITY;
    pixels[24] = Number.NEGATIVE_INFINITY;
    const stack = ImageStack.fromFrames([pixels], [H, W]);
    const plan = await planShift(stack, still(1));
    const sink = memorySink();
    await shiftStack(stack, plan, sink);
    const stored = sink.frames.get(0) as Uint16Array;
    for (let i = 0; i < H * W; i++) expect(stored[i] === 0, `pixel ${i}`).toBe([8, 16, 24].includes(i));
  });
});

describe('the canvas', () => {
  const shifts = fc.array(fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.double({ min: -9, max: 9, noNaN: true })), {
    minLength: 3,
    maxLength: 3,
  });

  test('holds all of every frame, none wasted: every measured pixel lies on it', async () => {
    await fc.assert(
      fc.asyncProperty(shifts, async (list) => {
        const drift = { row: Float64Array.from(list, ([r]) => r), column: Float64Array.from(list, ([, c]) => c) };
        const stack = stackOf('uint16', 1, 60000, 5);
        const plan = await planShift(stack, drift, { least: 1 });
        for (const [n, { shift, outHeight, outWidth }] of plan.placements.entries()) {
          expect([outHeight, outWidth]).toEqual([plan.height, plan.width]);
          expect(shift[0]).toBeCloseTo(plan.origin[0] - drift.row[n], 12);
          expect(shift[1]).toBeCloseTo(plan.origin[1] - drift.column[n], 12);
          expect(shift[0] >= 0 && shift[1] >= 0).toBe(true);
          expect(shift[0] + H <= plan.height && shift[1] + W <= plan.width).toBe(true);
        }
        const spread = (values: Float64Array): number => Math.max(0, ...values) - Math.min(0, ...values);
        expect(plan.height).toBeLessThanOrEqual(H + spread(drift.row) + 2);
        expect(plan.width).toBeLessThanOrEqual(W + spread(drift.column) + 2);
      }),
    );
  });

  test('shifted frames lie on top of each other', async () => {
    const image = (r: number, c: number): number => 20000 + 9000 * Math.sin(r / 4) * Math.cos(c / 5);
    const drift = { row: Float64Array.of(0, 2.25, -3.5), column: Float64Array.of(0, -1.75, 4.5) };
    const [height, width] = [40, 44];
    const frames = [0, 1, 2].map((n) =>
      Uint16Array.from({ length: height * width }, (_, i) =>
        Math.round(image(Math.floor(i / width) - drift.row[n], (i % width) - drift.column[n])),
      ),
    );
    const stack = ImageStack.fromFrames(frames, [height, width]);
    const plan = await planShift(stack, drift, { least: 1 });
    expect(plan.origin).toEqual([3, 5]);
    expect([plan.height, plan.width]).toEqual([40 + 3 + 4, 44 + 5 + 2]);
    const sink = memorySink();
    await shiftStack(stack, plan, sink);
    for (let n = 0; n < 3; n++) {
      const values = valuesOf(sink.frames.get(n) as Uint16Array, plan, n);
      let known = 0;
      for (const [i, value] of values.entries()) {
        if (Number.isNaN(value)) continue;
        known++;
        const expected = image(Math.floor(i / plan.width) - plan.origin[0], (i % plan.width) - plan.origin[1]);
        // bilinear interpolation misses by an eighth of the curvature
        expect(Math.abs(value - expected)).toBeLessThan((9000 / 16 + 9000 / 25) / 8 + 2);
      }
      expect(known).toBeGreaterThanOrEqual((height - 1) * (width - 1));
    }
  });

  test('by s and then by −s gives a smooth image back', async () => {
    const [height, width] = [32, 32];
    const source = Uint16Array.from(
      { length: height * width },
      (_, i) => 30000 + 8000 * Math.sin(Math.floor(i / width) / 6) + 8000 * Math.cos((i % width) / 7),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: -4, max: 4, noNaN: true }),
        fc.double({ min: -4, max: 4, noNaN: true }),
        async (row, column) => {
          const there = await planShift(
            ImageStack.fromFrames([source], [height, width]),
            { row: Float64Array.of(row), column: Float64Array.of(column) },
            { least: 1 },
          );
          const moved = placeFrame(source, there.placements[0]);
          const back = placeFrame(moved, {
            ...there.placements[0],
            shift: [-there.placements[0].shift[0], -there.placements[0].shift[1]],
            height: there.height,
            width: there.width,
            outHeight: height,
            outWidth: width,
            zeroIsMissing: true,
          });
          let known = 0;
          for (const [i, value] of back.entries()) {
            if (value === 0) continue;
            known++;
            // two bilinear steps miss by a quarter of the curvature at the most
            expect(Math.abs(value - source[i])).toBeLessThan((8000 / 36 + 8000 / 49) / 4 + 2);
          }
          expect(known).toBeGreaterThanOrEqual((height - 2) * (width - 2));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('reading ahead', () => {
  /** A source that counts how many frames were asked for but not yet written. */
  function watched(count: number) {
    const state = { asked: 0, written: 0, most: 0 };
    const stack = new ImageStack({
      info: {
        ...stackOf('uint16', 1, 9, 1).info,
        frames: count,
        axis: { kind: 'frame', unit: '', values: new Float64Array(count) },
      },
      readFrame: async () => {
        state.asked++;
        state.most = Math.max(state.most, state.asked - state.written);
        await new Promise((resolve) => setImmediate(resolve));
        return new Uint16Array(H * W).fill(5);
      },
      close: async () => {},
    });
    return { state, stack };
  }

  test.each([
    [1, 1],
    [3 * H * W * 2, 3],
    [undefined, 8],
  ])('with %j bytes at most %i frames wait', async (memoryBytes, most) => {
    const { state, stack } = watched(20);
    const done: number[] = [];
    const sink = memorySink();
    const place = sink.writePlaced;
    sink.writePlaced = async (n, pixels, placement) => {
      state.written++;
      await place(n, pixels, placement);
    };
    await shiftStack(stack, await planShift(stack, still(20), { least: 1 }), sink, {
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      onProgress: (n, total) => done.push(n / total),
    });
    expect(sink.frames.size).toBe(20);
    expect(state.most).toBeLessThanOrEqual(most + 1);
    expect(done).toEqual(Array.from({ length: 20 }, (_, n) => (n + 1) / 20));
  });

  test('stops between two frames when it is told to', async () => {
    const { stack } = watched(20);
    const plan = await planShift(stack, still(20), { least: 1 });
    const controller = new AbortController();
    const sink = memorySink();
    const work = shiftStack(stack, plan, sink, { signal: controller.signal, onProgress: (n) => n === 4 && controller.abort() });
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(isLeemError(error, 'AbortedError')).toBe(true);
    expect((error as Error).message).toBe('Writing the registered frames was stopped');
    expect(sink.frames.size).toBe(4);
  });

  test('looking for extremes stops too', async () => {
    const stack = stackOf('float32', 0, 1, 1);
    const error: unknown = await planShift(stack, still(3), { signal: AbortSignal.abort() }).catch((reason: unknown) => reason);
    expect(isLeemError(error, 'AbortedError')).toBe(true);
    expect((error as Error).message).toBe('Looking for the range of values was stopped');
  });

  test('a read or a write that fails ends it with that error', async () => {
    const { stack } = watched(4);
    const plan = await planShift(stack, still(4), { least: 1 });
    const failing = new ImageStack({
      info: stack.info,
      readFrame: () => Promise.reject(new Error('unplugged')),
      close: async () => {},
    });
    await expect(shiftStack(failing, plan, memorySink())).rejects.toThrow('unplugged');
    const full = { ...memorySink(), writePlaced: () => Promise.reject(new Error('disk full')) };
    await expect(shiftStack(stack, plan, full)).rejects.toThrow('disk full');
  });
});
