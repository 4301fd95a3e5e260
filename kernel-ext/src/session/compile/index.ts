export type { CompiledCell } from './CellCompilation.js';
export { type CellDiagnostic, CompileError } from './CompileError.js';
export type { Completion, CompletionMatch } from './completeCell.js';
export {
  type CellCompiler,
  type CompileOptions,
  type CompilerOptions,
  createCellCompiler,
  type WarmOptions,
} from './createCellCompiler.js';
export { type CellExports, createCellExports } from './createCellExports.js';
export { type CellRequire, type CellRequireFunction, createCellRequire } from './createCellRequire.js';
export type { Inspection } from './inspectCell.js';
export type { Completeness } from './judgeCompleteness.js';
export type { LocalModule } from './LocalModules.js';
export { plainMessage } from './plainMessage.js';
export type { Position, Trace } from './tracePositions.js';
