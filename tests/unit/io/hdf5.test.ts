import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createStackWriter, openStack } from '../../../src/io/index.js';
import { errorOf, tempFolder } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();
const axis = { kind: 'frame', unit: '', values: Float64Array.of(0, 1) } as const;

/** Two frames of noise, which deflate cannot shorten. */
async function writeStack(name: string): Promise<string> {
  const path = join(folder, name);
  const sink = await createStackWriter(path, 'hdf5', { frames: 2, height: 64, width: 64, axis });
  let state = 1;
  for (const n of [0, 1]) {
    const noise = Uint16Array.from({ length: 64 * 64 }, () => {
      state = (state * 48271) % 2147483647;
      return state;
    });
    await sink.writeFrame(n, noise);
  }
  await sink.finish();
  return path;
}

test('a cut-off or false HDF5 file is one error, and the library prints nothing', async () => {
  const spy = vi.spyOn(process.stderr, 'write');
  const whole = readFileSync(await writeStack('whole.h5'));
  const path = join(folder, 'cut.h5');
  for (const length of [8, 100, 2000, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, length));
    const error = await errorOf(openStack(path));
    expect(error.tag).toBe('DataFormatError');
    expect(error.message).toBe(`${path}: the HDF5 file cannot be opened; it is truncated or damaged (${length} bytes)`);
  }
  expect(spy).not.toHaveBeenCalled();
  spy.mockRestore();
});

test('a frame whose compressed pixels are damaged is an error, and the others are read', async () => {
  const path = await writeStack('damaged.h5');
  const bytes = readFileSync(path);
  const whole = await openStack(path);
  const [first, second] = [await whole.frame(0), await whole.frame(1)];
  await whole.close();
  // the second frame's chunk is the last 8 KiB of noise in the file; a run of zeros breaks its checksum
  const at = bytes.lastIndexOf(Buffer.from(Uint8Array.of(0x78, 0x01)));
  bytes.fill(0, at + 100, at + 2000);
  writeFileSync(path, bytes);
  const stack = await openStack(path);
  const results = await Promise.all(
    [0, 1].map((n) =>
      stack.frame(n).then(
        (frame) => frame,
        (error: Error) => error.message,
      ),
    ),
  );
  const damaged = results.filter((result) => typeof result === 'string');
  expect(damaged).toHaveLength(1);
  expect(damaged[0]).toMatch(/frame \d cannot be read from '\/Intensity'; the file is damaged/);
  for (const [n, frame] of [first, second].entries()) if (typeof results[n] !== 'string') expect(results[n]).toEqual(frame);
  await stack.close();
  expect((await errorOf(stack.frame(0))).message).toContain('the stack was closed');
});
