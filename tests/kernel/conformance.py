"""Jupyter's own conformance suite for kernels, with every optional part filled in (called by conformance.test.ts)."""

import unittest

import jupyter_kernel_test


class LeemlabKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "leemlab"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world');"
    code_stderr = "console.error('oops');"
    completion_samples = [
        {"text": "Math.sq", "matches": ["sqrt"]},
        {"text": "Number.isSafe", "matches": ["isSafeInteger"]},
        {"text": "[1, 2].copyW", "matches": ["copyWithin"]},
    ]
    complete_code_samples = [
        "const x = 1;",
        "console.log('hello');",
        "function f(a: number): number {\n  return a + 1;\n}",
        "",
        "const answer = await Promise.resolve(42)",
    ]
    incomplete_code_samples = [
        "function f() {",
        "const list = [1,",
        "if (true) {",
        "const text = `begun",
        "console.log(",
        "/* a comment",
    ]
    invalid_code_samples = ["const = 3;", "let x = );", "x y z", "}"]
    code_page_something = "page('a text for the pager')"
    code_generate_error = "throw new RangeError('too far')"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "'a' + 'b'", "result": "'ab'"},
        {"code": "[1, 2, 3].map((n) => n * n)", "result": "[ 1, 4, 9 ]"},
        {"code": "await Promise.resolve({ one: 1 })", "result": "{ one: 1 }"},
    ]
    code_display_data = [
        {"code": "display.html('<b>bold</b>')", "mime": "text/html"},
        {"code": "await display({ a: 1 })", "mime": "text/plain"},
        {"code": "display.svg('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')", "mime": "image/svg+xml"},
    ]
    code_history_pattern = "6 [*]*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "parseFloat"
    code_clear_output = "clearOutput()"


class LeemlabIopubWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "leemlab"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main()
