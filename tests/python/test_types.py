"""Types: what stubs and annotations say is what is there."""
import ast
import inspect
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import typing
import unittest

import kindred
from kindred import _core

PACKAGE = pathlib.Path(kindred.__file__).parent


def stub():
    """What _core.pyi declares: the functions' arguments by name, the classes' methods, the variables."""
    functions, classes, variables = {}, {}, {}

    def arguments(node):
        return [argument.arg for argument in (*node.args.posonlyargs, *node.args.args) if argument.arg != "self"]

    for node in ast.parse((PACKAGE / "_core.pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            functions[node.name] = arguments(node)
        elif isinstance(node, ast.ClassDef):
            classes[node.name] = {inner.name: arguments(inner) for inner in node.body if isinstance(inner, ast.FunctionDef)}
            classes[node.name].update({inner.name: None for inner in node.body if isinstance(inner, ast.FunctionDef)
                                       and any(isinstance(d, ast.Name) and d.id == "property" for d in inner.decorator_list)})
        elif isinstance(node, ast.AnnAssign):
            variables[node.target.id] = node.annotation.id
    return functions, classes, variables


def documented_arguments(function):
    """pybind11 writes a signature into the first line of the documentation: name(first: type, ...) -> type."""
    inside = re.match(r"\w+\((.*)\) ->", function.__doc__.splitlines()[0]).group(1)
    return [name for name in re.findall(r"(?:^|, )(\w+):", inside) if name != "self"]


class Stubs(unittest.TestCase):
    def test_the_stub_of_the_module_declares_what_the_module_has(self):
        functions, classes, variables = stub()
        public = {name for name in vars(_core) if not name.startswith("_")}
        self.assertEqual(public, {*functions, *classes, *variables})
        for name, arguments in functions.items():
            self.assertEqual(documented_arguments(getattr(_core, name)), arguments, name)
        for name, kind in variables.items():
            self.assertEqual(type(getattr(_core, name)).__name__, kind, name)
        for name, methods in classes.items():
            own = getattr(_core, name)
            there = {method for method in vars(own) if not method.startswith("_")}
            if "__init__" in vars(own) and "__init__" in methods:
                there.add("__init__")
            self.assertEqual(there, {method for method in methods if method != "__buffer__"}, name)
            for method, arguments in methods.items():
                if arguments is not None and method in there:
                    self.assertEqual(documented_arguments(getattr(own, method)), arguments, f"{name}.{method}")

    def test_every_public_function_is_annotated(self):
        self.assertTrue((PACKAGE / "py.typed").exists())
        for name in kindred.__all__:
            public = getattr(kindred, name)
            self.assertEqual(public.__doc__ is None or not public.__doc__.strip(), False, f"{name} has no documentation")
            functions = [public] if inspect.isfunction(public) else [
                member for key, member in vars(public).items()
                if inspect.isfunction(member) and (not key.startswith("_") or key == "__init__")
                and member.__module__ and member.__module__.startswith("kindred")]
            for function in functions:
                if function.__qualname__.endswith("__init__") and public is kindred.Evaluation:
                    continue  # of dataclasses
                signature = inspect.signature(function)
                self.assertIsNot(signature.return_annotation, inspect.Signature.empty, function.__qualname__)
                for parameter in signature.parameters.values():
                    if parameter.name != "self":
                        self.assertIsNot(parameter.annotation, inspect.Parameter.empty, f"{function.__qualname__}: {parameter}")

    def test_annotations_can_be_evaluated(self):
        for name in kindred.__all__:
            if inspect.isfunction(getattr(kindred, name)):
                typing.get_type_hints(getattr(kindred, name))

    def test_mypy_finds_the_types(self):
        try:
            import mypy  # noqa: F401
        except ImportError:
            self.skipTest("mypy is not installed")
        program = textwrap.dedent("""
            import kindred
            import numpy as np
            scores = kindred.evaluate(np.eye(2), np.eye(2), [0, 1], [0, 1])
            reveal_type(scores.mAP)
            reveal_type(kindred.match(np.eye(2), np.eye(2)).indices)
            kindred.match(np.eye(2), np.eye(2), top="many")
            """)
        with tempfile.TemporaryDirectory() as cache:
            done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, "-c", program],
                                  capture_output=True, text=True, timeout=300,
                                  env={**os.environ, "MYPYPATH": str(PACKAGE.parent)})
        self.assertIn("Found 1 error in 1 file", done.stdout)
        self.assertRegex(done.stdout, r'Revealed type is "(builtins\.)?float"')
        self.assertIn("signedinteger", done.stdout)
        self.assertIn('Argument "top" to "match" has incompatible type "str"', done.stdout)


class Errors(unittest.TestCase):
    def test_the_classes_of_errors(self):
        for one in (kindred.RecipeError, kindred.ComponentError, kindred.DataError, kindred.PluginError):
            self.assertTrue(issubclass(one, kindred.Error))
        self.assertTrue(issubclass(kindred.RecipeError, ValueError))
        self.assertTrue(issubclass(kindred.ComponentError, ValueError))
        self.assertEqual(repr(kindred.Error("a")), "Error('a')")
        self.assertEqual(kindred.Error.__module__, "kindred")


class Import(unittest.TestCase):
    def run_python(self, script, **environment):
        return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120,
                              env={**os.environ, **environment})

    def test_the_versions_are_told(self):
        self.assertRegex(kindred.__version__, r"^\d+\.\d+\.\d+$")
        self.assertRegex(kindred.version_text(), rf"^Kindred +{kindred.__version__}\nLibTorch +{_core.torch_version}\n")

    #: The package without its __init__.py, so that the way to its engine can be tried for another build.
    without_init = """
import sys, types
from importlib import util
package = types.ModuleType("kindred")
package.__path__ = util.find_spec("kindred").submodule_search_locations
sys.modules["kindred"] = package
import kindred._build, kindred._library
def attempt(work):
    try:
        work()
        print("done")
    except ImportError as error:
        print(error)
"""

    def write_torch(self, version):
        """A package torch with a LibTorch of its own."""
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        folder = pathlib.Path(temporary.name)
        (folder / "torch/lib").mkdir(parents=True)
        (folder / "torch/__init__.py").write_text(f"__version__ = {version!r}\n")
        (folder / "torch/lib/libtorch_cpu.so").write_bytes(b"")
        return folder

    def test_a_torch_of_another_version_is_refused_with_words(self):
        folder = self.write_torch("1.0.0+cpu")
        done = self.run_python(self.without_init + f"""
kindred._build.torch_is_a_package = True
sys.path.insert(0, {str(folder)!r})
attempt(kindred._library.load)
del sys.modules["torch"]
kindred._build.torch_version = "1.0.0"
attempt(kindred._library.load)
del sys.modules["torch"], sys.path[0]
sys.path[:] = [path for path in sys.path if not path.endswith("-packages")]
attempt(kindred._library.load)
""")
        self.assertEqual(done.returncode, 0, done.stderr)
        other, same, missing = done.stdout.splitlines()
        self.assertRegex(other, rf"^{folder}/torch is torch 1\.0\.0\+cpu, but kindred was built with \d+\.\d+\.\d+ and fits no "
                                "other; install that version, or build kindred again")
        self.assertEqual(same, "done")
        self.assertIn("kindred was built with the package torch 1.0.0, which cannot be imported (No module", missing)

    def test_a_second_libtorch_is_kept_out_of_the_process(self):
        folder = self.write_torch("9.9.9")
        done = self.run_python(self.without_init + f"""
kindred._build.torch_is_a_package = False
sys.path.insert(0, {str(folder)!r})
kindred._library.load()
print(util.find_spec("torch") is not None)
def import_torch():
    import torch
attempt(import_torch)
attempt(import_torch)
sys.meta_path.pop(0)
import torch
attempt(kindred._library.load)
kindred._build.torch_library = {str(folder / "torch/lib/libtorch_cpu.so")!r}
attempt(kindred._library.load)
""")
        self.assertEqual(done.returncode, 0, done.stderr)
        found, first, second, already, same = done.stdout.splitlines()
        self.assertEqual((found, same, second), ("True", "done", first))
        self.assertRegex(first, rf"^kindred was built with LibTorch \S+ of \S+, and {folder}/torch has another, which cannot be used")
        self.assertEqual(already, first + "; it is imported already")

    def test_a_refused_plugin_is_a_warning_and_the_others_work(self):
        with tempfile.TemporaryDirectory() as folder:
            # A name that is no UTF-8.
            plugins = pathlib.Path(folder) / os.fsdecode(b"pl\xe9ins")
            plugins.mkdir()
            (plugins / "broken.so").write_bytes(b"no library")
            done = self.run_python("import kindred; print(kindred.match([[1., 0.]], [[1., 0.]]).indices)",
                                   KINDRED_PLUGIN_PATH=str(plugins))
        self.assertEqual((done.returncode, done.stdout), (0, "[[0]]\n"), done.stderr)
        self.assertIn("KindredWarning: ", done.stderr)
        self.assertIn(r"pl\xE9ins/broken.so: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
