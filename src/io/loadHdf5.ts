let loaded: Promise<typeof import('h5wasm/node')> | undefined;

/**
 * The HDF5 library, compiled to WebAssembly, loaded once. It writes its own account of every error to stderr; that is
 * switched off, since our errors say what matters.
 */
export function loadHdf5(): Promise<typeof import('h5wasm/node')> {
  loaded ??= import('h5wasm/node').then(async (library) => {
    await library.ready;
    return library;
  });
  return loaded;
}
