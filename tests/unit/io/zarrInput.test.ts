import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStackWriter, createZarrGroup, openStack } from '../../../src/io/index.js';
import { testPixels } from '../../fixtures/io/elmitecFile.js';
import { errorOf, tempFolder, writeFiles } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();
const axis = { kind: 'energy', unit: 'eV', values: Float64Array.of(1, 2) } as const;

async function writeStack(path: string): Promise<void> {
  const sink = await createStackWriter(path, 'zarr', { frames: 2, height: 4, width: 6, axis });
  for (const n of [0, 1]) await sink.writeFrame(n, testPixels(4, 6, n));
  await sink.finish();
}

describe('Zarr stores as input', () => {
  test("are found inside a folder of leem's results, and as the only store of a folder", async () => {
    await writeStack(join(folder, 'run', 'registered.zarr'));
    await createZarrGroup(join(folder, 'run', 'pairs.zarr'));
    writeFiles(join(folder, 'run'), { 'drift.csv': 'frame\n', 'report.html': '' });
    expect((await openStack(join(folder, 'run'))).info.axis).toEqual(axis);
    await writeStack(join(folder, 'simulated', 'series.zarr'));
    writeFiles(join(folder, 'simulated'), { 'truth.csv': 'frame\n' });
    expect((await openStack(join(folder, 'simulated'))).info.axis).toEqual(axis);
  });

  test('give the array that is asked for, or a picture as one frame', async () => {
    const group = await createZarrGroup(join(folder, 'labels.zarr'));
    await group.writeArray(
      'labels',
      Uint8Array.from({ length: 24 }, (_, i) => i),
      { shape: [4, 6] },
    );
    await group.writeArray('other', new Float32Array(6), { shape: [1, 2, 3] });
    expect((await openStack(group.path)).shape).toEqual([1, 2, 3]);
    const labels = await openStack(group.path, { dataset: 'labels' });
    expect(labels.shape).toEqual([1, 4, 6]);
    expect(await labels.frame(0)).toEqual(Uint8Array.from({ length: 24 }, (_, i) => i));
  });

  test('without an array of frames are refused', async () => {
    const group = await createZarrGroup(join(folder, 'none.zarr'));
    expect((await errorOf(openStack(group.path))).message).toContain('must hold an array [frame, row, column], got none');
    await group.writeArray('table', new Float32Array(6));
    expect((await errorOf(openStack(group.path))).message).toContain('must hold an array [frame, row, column], got table');
    await group.writeArray('intensity', new Float32Array(16), { shape: [2, 2, 2, 2] });
    expect((await errorOf(openStack(group.path))).message).toContain(
      'the array must be [frame, row, column] or [row, column], got 4 dimensions [2,2,2,2]',
    );
    await group.writeArray('intensity', new Float32Array(0), { shape: [0, 2, 2], chunks: [1, 2, 2] }).catch(() => {});
    expect((await errorOf(openStack(group.path))).message).toContain('the array is empty: [0,2,2]');
    expect((await errorOf(openStack(group.path, { dataset: 'nothing' }))).message).toContain('no Zarr array or group is here');
  });

  test('with a codec that is not known here name it', async () => {
    const group = await createZarrGroup(join(folder, 'codec.zarr'));
    await group.writeArray('intensity', new Uint16Array(8), { shape: [2, 2, 2] });
    const file = join(group.path, 'intensity', 'zarr.json');
    const document = JSON.parse(readFileSync(file, 'utf8'));
    document.codecs.push({ name: 'pcodec', configuration: {} });
    writeFiles(join(group.path, 'intensity'), { 'zarr.json': JSON.stringify(document) });
    const stack = await openStack(group.path);
    const error = await errorOf(stack.frame(0));
    expect(error.tag).toBe('UnsupportedError');
    expect(error.message).toContain('pcodec');
  });
});

describe('Zarr stores over http', () => {
  let server: Server;
  let address = '';
  beforeAll(async () => {
    await writeStack(join(folder, 'served.zarr'));
    server = createServer((request, response) => {
      try {
        response.end(readFileSync(join(folder, request.url ?? '')));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  test('are read as from the disk', async () => {
    const stack = await openStack(`${address}/served.zarr`);
    expect(stack.info).toMatchObject({ axis, zeroIsMissing: true, frames: 2 });
    expect(await stack.frame(1)).toEqual(testPixels(4, 6, 1));
    const bare = await openStack(`${address}/served.zarr/intensity`);
    expect(await bare.frame(0)).toEqual(testPixels(4, 6, 0));
  });

  test('that are not there are one error', async () => {
    const error = await errorOf(openStack(`${address}/nothing.zarr`));
    expect(error.tag).toBe('DataFormatError');
    expect(error.message).toContain(`${address}/nothing.zarr: no Zarr array or group is here`);
    const refused = await errorOf(openStack('http://127.0.0.1:1/x.zarr'));
    expect(refused.tag).toBe('DataFormatError');
    expect(refused.message).toContain('cannot be reached');
  });
});
