/** What leemlab uses of WebAssembly, whose types come with browsers only. */
export interface WebAssemblyApi {
  validate(code: Uint8Array): boolean;
  readonly Module: new (code: Uint8Array) => WebAssemblyModule;
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => WebAssemblyMemory;
  readonly Instance: new (
    module: WebAssemblyModule,
    imports: { readonly env: { readonly memory: WebAssemblyMemory } },
  ) => { readonly exports: unknown };
}

/** Compiled code; may be handed to another thread. */
export type WebAssemblyModule = object;

export interface WebAssemblyMemory {
  readonly buffer: SharedArrayBuffer;
}

export const webAssembly: WebAssemblyApi = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
