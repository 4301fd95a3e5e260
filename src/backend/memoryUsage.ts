import { freemem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { DISPLAY, type MimeBundle } from '../host.js';
import { tf } from './start.js';

/** What takes memory in this process, bytes. In a notebook it shows itself as a table. */
export interface MemoryUsage {
  /** Tensors alive. */
  readonly tensors: number;
  /** Of the tensors' values: outside the heap, in TensorFlow's hands. */
  readonly tensorBytes: number;
  /** Of JavaScript's objects; the pixels of typed arrays are not among them. */
  readonly heapBytes: number;
  /** More than this the heap cannot have (`node --max-old-space-size`); then the process ends. */
  readonly heapLimitBytes: number;
  /** All that the process holds in the machine's memory. */
  readonly residentBytes: number;
  /** What is left: of the machine, or of what a container allows. */
  readonly availableBytes: number;
  [DISPLAY](): MimeBundle;
}

const WORDS = {
  tensors: 'tensors',
  tensorBytes: 'their values',
  heapBytes: 'JavaScript objects',
  heapLimitBytes: 'at most',
  residentBytes: 'process',
  availableBytes: 'left',
} as const;

/**
 * How much memory this process takes: of tensors, of JavaScript, and all in all.
 *
 * @returns numbers of this moment, bytes; as the last expression of a cell they are a table.
 */
export function memory(): MemoryUsage {
  const { numTensors, numBytes } = tf.memory();
  const { used_heap_size: heapBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
  const usage = {
    tensors: numTensors,
    tensorBytes: numBytes,
    heapBytes,
    heapLimitBytes,
    residentBytes: process.memoryUsage.rss(),
    availableBytes: process.availableMemory?.() ?? freemem(),
  };
  // not among the fields that are printed or copied
  return Object.defineProperty(usage, DISPLAY, { value: () => describe(usage), enumerable: false }) as MemoryUsage;
}

function describe(usage: Readonly<Record<keyof typeof WORDS, number>>): MimeBundle {
  const rows = Object.entries(WORDS).map(([name, words]) => {
    const value = usage[name as keyof typeof WORDS];
    return [words, name === 'tensors' ? String(value) : formatBytes(value)] as const;
  });
  const cells = rows.map(
    ([words, value]) => `<tr><th style="text-align:left">${words}</th><td style="text-align:right">${value}</td></tr>`,
  );
  return {
    data: {
      'text/plain': rows.map(([words, value]) => `${words.padEnd(20)}${value.padStart(10)}`).join('\n'),
      'text/html': `<table>${cells.join('')}</table>`,
    },
  };
}

/** `1.5 GiB`: three digits, as far as there are any. */
function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit + 1 < units.length; unit++) value /= 1024;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(value >= 9.995 ? 1 : 2)} ${units[unit]}`;
}
