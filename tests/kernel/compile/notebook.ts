import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import vm from 'node:vm';
import {
  type CellCompiler,
  type CompiledCell,
  type CompileOptions,
  createCellCompiler,
  createCellExports,
  createCellRequire,
} from '../../../kernel-ext/src/session/compile/index.js';

/** A notebook without a kernel: compiles and runs cells as the cell runner does. */
export interface Notebook {
  readonly folder: string;
  readonly compiler: CellCompiler;
  readonly variables: Record<string, unknown>;
  /** Runs a cell and gives the value of its last expression. */
  run(source: string, options?: CompileOptions): Promise<unknown>;
  /** Where in the TypeScript of the cell, or of a local module, an error that it throws arose. */
  failure(source: string): Promise<{ message: string; places: string[] }>;
  write(name: string, text: string): void;
  /** Forgets all variables and declarations. */
  reset(): void;
  close(): void;
}

/** A folder with files in it, which `removeFolders` takes away again. */
export function createFolder(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'cells-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFile(join(folder, name), text);
  return folder;
}

const folders: string[] = [];

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

function writeFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

export function openNotebook(folder: string): Notebook {
  const compiler = createCellCompiler({ folder });
  const { require, update } = createCellRequire(folder);
  const variables = createCellExports();
  const traces = new Map<string, CompiledCell['position']>();
  let count = 0;

  const start = async (source: string, options?: CompileOptions): Promise<unknown> => {
    const cell = compiler.compile(source, options);
    update(cell.modules);
    const filename = `cell-${++count}`;
    traces.set(filename, cell.position);
    for (const module of cell.modules) traces.set(module.path, module.position);
    const opening = `(${cell.isAsync ? 'async ' : ''}function (exports, require) {`;
    const script = new vm.Script(`${opening}${cell.code}\n})`, { filename, columnOffset: -opening.length });
    cell.commit();
    await script.runInThisContext()(variables, require);
    const value = cell.resultName && variables[cell.resultName];
    if (cell.resultName) delete variables[cell.resultName];
    return value;
  };

  const failure = async (source: string): Promise<{ message: string; places: string[] }> => {
    const error = await start(source).then(
      () => new Error('the cell did not fail'),
      (reason: Error) => reason,
    );
    const frames = [...(error.stack ?? '').matchAll(/\(?([^\s(]+):(\d+):(\d+)\)?$/gm)];
    const places = frames.flatMap(([, file, line, column]) => {
      const place = traces.get(file)?.(Number(line), Number(column));
      return place ? [`${file.startsWith('cell-') ? 'cell' : file.slice(folder.length + 1)}:${place.line}:${place.column}`] : [];
    });
    return { message: error.message, places };
  };

  return {
    folder,
    compiler,
    variables,
    run: start,
    failure,
    write: (name, text) => writeFile(join(folder, name), text),
    reset: () => {
      compiler.reset();
      for (const name of Object.keys(variables)) delete variables[name];
    },
    close: () => compiler.close(),
  };
}
