/** Objects that only browsers have; packages mention them beside what also works in Node. */
const BROWSER_ONLY = [
  'Element',
  'HTMLElement',
  'HTMLImageElement',
  'HTMLSourceElement',
  'IDBFactory',
  'ImageBitmap',
  'KeyboardEvent',
  'MediaTrackConstraints',
  'MouseEvent',
  'TouchEvent',
  'VideoFrame',
  'WebGL2RenderingContext',
  'WebGLBuffer',
  'WebGLContextAttributes',
  'WebGLFramebuffer',
  'WebGLProgram',
  'WebGLQuery',
  'WebGLRenderingContext',
  'WebGLShader',
  'WebGLSync',
  'WebGLTexture',
  'WebGLUniformLocation',
  'WebGLVertexArrayObject',
  'WebGLVertexArrayObjectOES',
  'Worker',
];

/** Names of the browser's library for things that Node has as well, or that a plain object can be. */
const PLAIN = `
type BodyInit = NonNullable<RequestInit['body']>;
type BufferSource = ArrayBufferView | ArrayBuffer;
type CompressionFormat = 'deflate' | 'deflate-raw' | 'gzip';
type PredefinedColorSpace = 'display-p3' | 'srgb';
type ReferrerPolicy = NonNullable<RequestInit['referrerPolicy']>;
type RequestCache = 'default' | 'force-cache' | 'no-cache' | 'no-store' | 'only-if-cached' | 'reload';
type RequestCredentials = NonNullable<RequestInit['credentials']>;
type RequestInfo = string | URL | Request;
type RequestMode = NonNullable<RequestInit['mode']>;
type RequestPriority = 'auto' | 'high' | 'low';
type RequestRedirect = NonNullable<RequestInit['redirect']>;
type Transferable = import('node:worker_threads').TransferListItem;
interface EventInit { bubbles?: boolean; cancelable?: boolean; composed?: boolean }
interface ImageData {
  readonly colorSpace: PredefinedColorSpace;
  readonly data: Uint8ClampedArray;
  readonly height: number;
  readonly width: number;
}
interface Storage {
  readonly length: number;
  clear(): void;
  getItem(key: string): string | null;
  key(index: number): string | null;
  removeItem(key: string): void;
  setItem(key: string, value: string): void;
}
`;

/**
 * Declarations of names of the browser's library, which the kernel does not load.
 *
 * An unknown name in a package's declarations is `any`, and makes `any` of a union: without these, `tf.browser.fromPixels` would
 * take everything.
 */
export function browserTypes(): string {
  const opaque = BROWSER_ONLY.map((name) => `interface ${name} { readonly 'only in browsers': '${name}' }`);
  return [...opaque, PLAIN].join('\n');
}
