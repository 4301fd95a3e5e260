import { createRequire } from 'node:module';
import util from 'node:util';
import { OutOfMemoryError } from '../errors.js';

/** The tfjs namespace that all of leemlab computes with. */
export type Tf = typeof import('@tensorflow/tfjs');

/** What computes: the native TensorFlow library, or tfjs' portable JavaScript backend. */
export interface BackendInfo {
  readonly name: 'tensorflow' | 'cpu';
  /** Version of the TensorFlow library or, for the portable backend, of tfjs. */
  readonly version: string;
  /** Why the native library did not load; undefined where it did. */
  readonly problem: string | undefined;
}

interface Loaded {
  readonly tf: Tf;
  readonly info: BackendInfo;
}

// tfjs-node calls functions that Node 22 warns of and Node 23 took out of `util`.
function restoreUtil(): void {
  const old = util as unknown as Record<string, unknown>;
  old.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  old.isArray = Array.isArray;
  old.isString = (value: unknown) => typeof value === 'string';
}

function load(): Loaded {
  // Both are read when the library loads. oneDNN's convolutions differ in the last bits with the batch size, and it
  // writes two lines to stderr at any log level; results must not depend on block sizes, so it stays off.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
  restoreUtil();
  const require = createRequire(import.meta.url);
  if (process.env.LEEMLAB_BACKEND !== 'cpu') {
    try {
      const node = require('@tensorflow/tfjs-node') as Tf & { version: { tensorflow: string; 'tfjs-node': string } };
      quiet(node);
      nameMemoryErrors(node);
      return { tf: node, info: { name: 'tensorflow', version: libraryVersion(node), problem: undefined } };
    } catch (error) {
      return portable(require, firstLine(error));
    }
  }
  return portable(require, 'LEEMLAB_BACKEND=cpu asks for the portable backend');
}

function portable(require: NodeJS.Require, problem: string): Loaded {
  const tf = require('@tensorflow/tfjs') as Tf;
  quiet(tf);
  tf.setBackend('cpu');
  return { tf, info: { name: 'cpu', version: tf.version.tfjs, problem } };
}

// The portable backend advises at its first use to install tfjs-node; `problem` says that already, and says why.
function quiet(tf: Tf): void {
  (tf.findBackend('cpu') as unknown as { firstUse: boolean }).firstUse = false;
}

/** What runs TensorFlow's operations, in tfjs-node's backend. */
type RunOperation = (name: string, ...rest: unknown[]) => unknown;

// TensorFlow's own message speaks of a status 8 and of devices.
function nameMemoryErrors(tf: Tf): void {
  const backend = tf.backend() as unknown as Record<'executeSingleOutput' | 'executeMultipleOutputs', RunOperation>;
  for (const method of ['executeSingleOutput', 'executeMultipleOutputs'] as const) {
    const run = backend[method].bind(backend);
    backend[method] = (name, ...rest) => {
      try {
        return run(name, ...rest);
      } catch (error) {
        const shape = /OOM when allocating tensor with shape\[([\d,]*)\]/.exec(String(error))?.[1];
        if (shape === undefined) throw error;
        const sizes = shape.split(',').join(' × ');
        throw new OutOfMemoryError(
          `${name}: there is no memory for a tensor of ${sizes} values; dispose of tensors that are not needed any more, ` +
            'or take fewer frames, a crop or a coarsened stack',
          { cause: error },
        );
      }
    };
  }
}

function libraryVersion(tf: Tf): string {
  const backend = tf.backend() as unknown as { binding?: { TF_Version?: string } };
  return backend.binding?.TF_Version ?? 'unknown';
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';
}

const loaded: Loaded = load();

/** tfjs, on the native backend where it loads. The only place of leemlab that imports it. */
export const tf: Tf = loaded.tf;

/** Which backend computes, its version, and why it is not the native one. */
export const backendInfo: BackendInfo = loaded.info;
