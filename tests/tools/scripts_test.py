"""The scripts that set Kindred up, with stand-ins for the programs that they call: nothing is installed or built."""

import concurrent.futures
import contextlib
import fcntl
import io
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import types
import unittest

SOURCES = pathlib.Path(__file__).resolve().parents[2]
CMAKE = shutil.which("cmake")
# Far in the future, as long as nobody says otherwise: nothing is installed later than a folder was configured.
CONFIGURED = 4_000_000_000

STANDS_IN = {
    # As on a system with two architectures.
    "dpkg-query": "[ ! -e installed ] || printf 'installed not-installed '",
    "apt-get": 'echo "apt-get $1 input:$(cat)" >>calls; [ $1 = update ] || : >installed',
    "cmake": 'echo "cmake $*" >>calls; echo "jobs ${CMAKE_BUILD_PARALLEL_LEVEL:-}" >>calls\n'
             'case $1 in\n'
             '  --build) ;;\n'
             '  *) while [ "$1" != -B ]; do shift; done\n'
             '     mkdir -p "$2" && touch -d @4000000000 "$2/build.ninja"\n'
             '     echo "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" >"$2/CMakeCache.txt"\n'
             '     printf "%s\\n" "$@" | sed -n "s/^-D\\([^:=]*\\)[^=]*=/\\1:STRING=/p" >>"$2/CMakeCache.txt" ;;\n'
             'esac',
    "ctest": 'echo "ctest $*" >>calls; echo "in $PWD" >>calls',
    "id": "echo 0",
    "nproc": "echo 1",
}


class Checkout:
    """A source tree with a space in its name, that has the scripts and the stand-ins."""

    def __init__(self, folder):
        self.root = pathlib.Path(folder) / "a checkout"
        self.programs = pathlib.Path(folder) / "programs"
        for name in ("run.sh", "test.sh", "tools/setup.sh"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCES / name, self.root / name)
        self.programs.mkdir()
        for name, text in STANDS_IN.items():
            self.stand_in(name, text)
        self.information = self.root / "dpkg/info"
        self.information.mkdir(parents=True)

    def stand_in(self, name, text):
        (self.programs / name).write_text(f"#!/bin/sh\nset -eu\n{text}\n")
        (self.programs / name).chmod(0o755)

    def install(self, package, moment):
        """As the package manager leaves it: a list of files, as old as the installation."""
        file = self.information / f"{package}.list"
        file.touch()
        os.utime(file, (moment, moment))

    def run(self, *command, folder=None, **environment):
        """Returns (exit code, standard output, standard error, what was called)."""
        (self.root / "calls").write_text("")
        inherited = {name: value for name, value in os.environ.items()
                     if name not in ("CDPATH", "KINDRED_TORCH", "KINDRED_CMAKE", "CMAKE_BUILD_PARALLEL_LEVEL")}
        done = subprocess.run(
            command, cwd=folder or self.root, capture_output=True, text=True, input="typed ahead\n", timeout=60,
            env={**inherited, "PATH": f"{self.programs}:{os.environ['PATH']}", "DPKG_ADMINDIR": f"{self.root}/dpkg",
                 **environment})
        return done.returncode, done.stdout, done.stderr, (self.root / "calls").read_text()


class ScriptsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kindred-")
        self.addCleanup(self.folder.cleanup)
        self.checkout = Checkout(self.folder.name)

    def setup(self, *arguments, **environment):
        code, out, error, calls = self.checkout.run("tools/setup.sh", *arguments, **environment)
        self.assertEqual(code, 0, error)
        return out, calls

    def test_the_first_run_installs_configures_and_builds_and_the_second_one_builds_alone(self):
        out, calls = self.setup("runtime")
        self.assertEqual(out, "build/release\n")
        self.assertIn("apt-get install", calls)
        self.assertIn("cmake --fresh --preset release -B build/release\n", calls)
        self.assertIn("cmake --build build/release --target runtime\n", calls)
        # What the Dockerfile installs.
        self.assertEqual([path.name for path in (self.checkout.root / "build").glob("release*")], ["release"])
        out, calls = self.setup("runtime")
        self.assertEqual(out, "build/release\n")
        self.assertEqual(re.findall("^cmake.*|^apt.*", calls, re.M), ["cmake --build build/release --target runtime"])

    def test_help_installs_nothing(self):
        out, calls = self.setup("--help")
        self.assertIn("tools/setup.sh TARGET...", out)
        self.assertEqual(calls, "")

    def test_an_installation_waits_for_no_answer(self):
        self.assertNotIn("typed ahead", self.setup("runtime")[1])

    def test_another_program_that_reads_the_lists_of_packages_is_waited_for(self):
        self.checkout.stand_in("sleep", 'echo "sleep $1" >>calls')
        self.checkout.stand_in("apt-get", 'echo "apt-get $1" >>calls\n'
                                          'if [ $1 = install ]; then : >installed; exit; fi\n'
                                          'if [ -e free ]; then exit; fi\n'
                                          ': >free; echo "E: Could not get lock /lists/lock." >&2; exit 100')
        calls = self.setup("runtime")[1]
        self.assertTrue(calls.startswith("apt-get update\nsleep 5\napt-get update\napt-get install\n"), calls)
        (self.checkout.root / "installed").unlink()
        self.checkout.stand_in("apt-get", 'echo "apt-get $1" >>calls; echo "E: there is no network" >&2; exit 100')
        code, _, error, calls = self.checkout.run("tools/setup.sh", "runtime", TMPDIR=self.folder.name)
        self.assertEqual((code, calls), (1, "apt-get update\n"))
        self.assertIn("there is no network", error)

    def test_what_was_installed_after_a_folder_was_configured_is_looked_for(self):
        self.checkout.install("clang", CONFIGURED - 1)
        self.checkout.install("pybind11-dev", CONFIGURED + 1)
        self.checkout.install("python3-dev:amd64", CONFIGURED - 1)
        self.checkout.install("python3-devel", CONFIGURED + 1)
        self.setup("runtime")
        # Nothing that the launcher is made of.
        self.assertNotIn("cmake -S", self.setup("runtime")[1])
        # With the options that the folder has, and not those of the preset.
        self.assertIn("cmake -S . -B build/release\n", self.setup("all")[1])
        self.checkout.install("pybind11-dev", CONFIGURED - 1)
        self.assertNotIn("cmake -S", self.setup("all")[1])
        self.checkout.install("python3-dev:amd64", CONFIGURED + 1)
        self.assertIn("cmake -S . -B build/release\n", self.setup("all")[1])

    def test_a_folder_is_configured_again_where_an_option_has_another_value_alone(self):
        def configured(options):
            return "cmake -S . -B build/release" in self.setup("runtime", KINDRED_CMAKE=options)[1]

        self.setup("runtime", KINDRED_CMAKE="-DKINDRED_NCCL=ON")
        self.assertFalse(configured("-DKINDRED_NCCL=ON"))
        self.assertFalse(configured("-DKINDRED_NCCL:BOOL=ON"))
        self.assertFalse(configured(""))
        self.assertTrue(configured("-DKINDRED_NCCL=OFF"))
        self.assertFalse(configured("-DKINDRED_NCCL=OFF"))
        self.assertTrue(configured("-DKINDRED_NCCL=OFF -DKINDRED_TESTS=OFF"))

    def test_options_may_stand_in_several_lines_and_apart_from_their_letter(self):
        configured = "cmake -S . -B build/release -DKINDRED_NCCL=ON -DKINDRED_PCH=OFF\n"
        options = {"KINDRED_CMAKE": "-D KINDRED_NCCL=ON\n-DKINDRED_PCH=OFF\n"}
        self.setup("runtime")
        self.assertIn(configured, self.setup("runtime", **options)[1])
        self.assertNotIn("cmake -S", self.setup("runtime", **options)[1])

    def test_a_build_folder_of_another_checkout_or_compiler_is_made_anew(self):
        def made_anew(**environment):
            calls = self.setup("runtime", **environment)[1]
            self.assertNotIn("cmake -S", calls)
            return "cmake --fresh --preset release -B build/release" in calls

        self.assertTrue(made_anew())
        self.checkout.root = shutil.copytree(self.checkout.root, pathlib.Path(self.folder.name) / "a copy")
        self.assertTrue(made_anew())
        self.assertFalse(made_anew())
        self.checkout.root = self.checkout.root.rename(pathlib.Path(self.folder.name) / "moved")
        self.assertTrue(made_anew())
        self.checkout.root.with_name("a link").symlink_to(self.checkout.root)
        self.checkout.root = self.checkout.root.with_name("a link")
        self.assertFalse(made_anew())

        self.checkout.stand_in("other++", "")
        self.assertTrue(made_anew(KINDRED_CMAKE=f"-DCMAKE_CXX_COMPILER={self.checkout.programs}/other++"))
        self.assertFalse(made_anew(KINDRED_CMAKE="-DCMAKE_CXX_COMPILER=other++"))
        self.assertFalse(made_anew())
        # A first try that was interrupted.
        (self.checkout.root / "build/release/CMakeCache.txt").unlink()
        self.assertTrue(made_anew())

    def test_what_is_no_longer_built_is_removed(self):
        def plugins(*names):
            (build / "build.ninja").write_text("rule make\n  command = touch $out\n" +
                                               "".join(f"build {name}.so: make\n" for name in names))

        self.setup("runtime")
        build = self.checkout.root / "build/release"
        self.checkout.stand_in("cmake", f"cd build/release && {shutil.which('ninja')}")
        plugins("new", "renamed")
        self.setup("runtime")
        (build / "mine.so").touch()
        plugins("new")
        self.setup("runtime")
        self.assertEqual(sorted(file.name for file in build.glob("*.so")), ["mine.so", "new.so"])

    def test_tests_are_built_also_where_an_earlier_option_left_them_out(self):
        self.setup("runtime", KINDRED_CMAKE="-DKINDRED_TESTS=OFF")
        self.assertIn("-B build/release -DKINDRED_TESTS=ON\n", self.checkout.run("./test.sh")[3])
        self.assertNotIn("-B build/release", self.checkout.run("./test.sh")[3])

    def test_what_a_user_names_lies_where_the_user_is(self):
        launcher = self.checkout.root / "build/release/bin/kindred"
        launcher.parent.mkdir(parents=True)
        launcher.write_text('#!/bin/sh\necho "$PWD: $*"\n')
        launcher.chmod(0o755)
        elsewhere = pathlib.Path(self.folder.name) / "elsewhere"
        elsewhere.mkdir()
        script = self.checkout.root / "run.sh"
        self.assertEqual(self.checkout.run(script, "mine.toml", folder=elsewhere)[1], f"{elsewhere}: run mine.toml\n")
        self.assertEqual(self.checkout.run(script, folder=elsewhere)[1].splitlines()[0],
                         f"{self.checkout.root}: run configs/quickstart.toml")

    def test_another_libtorch_of_the_same_version_is_taken(self):
        def torch(name):
            folder = self.checkout.root / name / "share/cmake/Torch"
            folder.mkdir(parents=True)
            (folder / "TorchConfig.cmake").touch()
            (folder / "TorchConfigVersion.cmake").write_text('set(PACKAGE_VERSION "2.13.0+cpu")\n')
            return str(folder.parent), str(folder)

        first, second = torch("one [1]"), torch("another")
        build = "build/release-torch-2.13.0"
        self.assertIn(f"-B {build} -DTorch_DIR={first[1]}\n", self.setup("runtime", KINDRED_TORCH=first[0])[1])
        self.assertNotIn("Torch_DIR", self.setup("runtime", KINDRED_TORCH=first[0])[1])
        out, calls = self.setup("runtime", KINDRED_TORCH=second[0])
        self.assertEqual(out, build + "\n")
        self.assertIn(f"-B {build} -DTorch_DIR={second[1]}\n", calls)

    def test_of_two_builds_in_one_folder_one_waits(self):
        (self.checkout.root / "build").mkdir()
        self.checkout.stand_in("nproc", "echo 1; touch counted")  # behind the lock
        with open(self.checkout.root / "build/.release.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with concurrent.futures.ThreadPoolExecutor() as pool:
                second = pool.submit(self.checkout.run, "tools/setup.sh", "runtime")
                with self.assertRaises(concurrent.futures.TimeoutError):
                    second.result(timeout=1)
                self.assertFalse((self.checkout.root / "counted").exists())
                fcntl.flock(lock, fcntl.LOCK_UN)
                code, _, errors, _ = second.result()
        self.assertEqual(code, 0)
        self.assertIn("Waiting for another build in build/release", errors)
        self.assertTrue((self.checkout.root / "counted").exists())

    def test_what_a_build_leaves_running_keeps_no_other_waiting(self):
        self.setup("runtime")
        for outcome in ("exit 0", "exit 1"):
            self.checkout.stand_in("cmake", f"sleep 10 </dev/null >/dev/null 2>&1 &\n{outcome}")
            error = self.checkout.run("tools/setup.sh", "runtime")[2]
            self.assertNotIn("Waiting", error)
        self.checkout.stand_in("cmake", "")
        self.assertNotIn("Waiting", self.checkout.run("tools/setup.sh", "runtime")[2])

    def test_no_more_is_compiled_at_a_time_than_memory_is_free(self):
        self.checkout.stand_in("nproc", "echo 100000")
        jobs = re.search("--target runtime\njobs ([0-9]+)\n", self.setup("runtime")[1])
        self.assertIsNotNone(jobs)
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self.assertLessEqual(1, int(jobs[1]))
        self.assertLessEqual(int(jobs[1]), max(1, memory / 1e9))
        self.assertIn("jobs 7\n", self.setup("runtime", CMAKE_BUILD_PARALLEL_LEVEL="7")[1])
        for limit, wanted in (("max", "[1-9][0-9]*"), ("1500000000", "1")):  # of a container
            self.checkout.stand_in("cat", f'case "${{1:-}}" in /sys/*) echo {limit} ;; *) exec /bin/cat "$@" ;; esac')
            self.assertRegex(self.setup("runtime")[1], f"--target runtime\njobs {wanted}\n")

    def test_scripts_find_their_folder_from_wherever_they_are_started(self):
        elsewhere = pathlib.Path(self.folder.name) / "elsewhere"
        # A folder of the same name that `cd` would prefer, and would say so on standard output.
        (elsewhere / "a checkout").mkdir(parents=True)
        (elsewhere / "tools").mkdir()
        for folder, script in ((self.folder.name, "a checkout/test.sh"), (self.checkout.root, "./test.sh")):
            code, out, error, calls = self.checkout.run(script, folder=folder, CDPATH=f".:{elsewhere}")
            self.assertEqual((code, out), (0, ""), error)
            self.assertIn("ctest --test-dir build/release ", calls)
            self.assertIn(f"in {self.checkout.root}\n", calls)
            code, out, error, _ = self.checkout.run(script, "--help", folder=folder, CDPATH=f".:{elsewhere}")
            self.assertEqual((code, out.splitlines()[0]), (0, "Sets Kindred up (packages, build) and runs all tests."))

    def test_a_run_of_no_test_fails(self):
        self.assertIn(" --no-tests=error ", self.checkout.run("./test.sh", "-R", "none")[3])

    def test_a_bundle_is_named_for_the_version_of_kindred_and_that_of_libtorch(self):
        for name in ("tools/bundle.sh", "tools/bundle/torch.sh", "framework/include/kindred/version.h"):
            (self.checkout.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCES / name, self.checkout.root / name)
        torch = self.checkout.root / "torch"
        for name, text in (("lib/libtorch.so", ""), ("share/cmake/Torch/TorchConfig.cmake", ""),
                           ("version.py", "__version__ = '2.13.0+cpu'\n")):
            (torch / name).parent.mkdir(parents=True, exist_ok=True)
            (torch / name).write_text(text)
        _, found, _, _ = self.checkout.run("sh", "-c", ". tools/bundle/torch.sh; torch_folder torch", CDPATH=".")
        self.assertEqual(found, f"{torch}\n")
        # It ends where it would install something.
        (self.checkout.root / "tools/setup.sh").write_text("#!/bin/sh\nexit 1\n")
        _, _, trace, _ = self.checkout.run("bash", "-x", "tools/bundle.sh", "--torch", str(torch))
        version = re.search('KINDRED_VERSION "(.+)"', (SOURCES / "framework/include/kindred/version.h").read_text())[1]
        self.assertIn(f"out=build/kindred-{version}-torch-2.13.0-linux-", trace)
        # What a user names lies where the user is.
        folder = self.checkout.root.parent
        _, _, trace, _ = self.checkout.run("bash", "-x", self.checkout.root / "tools/bundle.sh", "--torch",
                                           "a checkout/torch", "--out", "mine.tar.xz", folder=folder)
        self.assertIn(f"archive={folder}/mine.tar.xz\n", trace)
        self.assertIn("torch_version=2.13.0\n", trace)

        # Of a build folder with other options, the ones that a bundle needs.
        (self.checkout.root / "tools/setup.sh").write_text(
            '#!/bin/sh\necho "$* with ${KINDRED_CMAKE:-}" >>calls\n[ "$1" = packages ]\n')
        self.checkout.stand_in("pkg-config", "echo 4.6.0")
        (self.checkout.root / "build/opencv-4.6.0").mkdir()
        (self.checkout.root / "build/opencv-4.6.0/installed").touch()
        self.assertIn("runtime kindred_bench with -DKINDRED_BENCH=ON -DKINDRED_NCCL=OFF -DMORE=1\n",
                      self.checkout.run("tools/bundle.sh", "--torch", str(torch), KINDRED_CMAKE="-DMORE=1")[3])

    @unittest.skipUnless(pathlib.Path("/usr/share/doc/libcli11-dev/copyright").exists(), "not Debian")
    def test_a_bundle_holds_programs_that_find_libtorch_and_the_license_of_all_that_is_in_it(self):
        root = self.checkout.root
        shutil.copytree(SOURCES / "tools/bundle", root / "tools/bundle")
        files = {"framework/include/kindred/version.h": '#define KINDRED_VERSION "0.1.0"\n', "tools/bench/peer.py": "",
                 "LICENSE": "", "NOTICE": "", "build/release/bin/kindred-bench": "", "build/opencv-4.6.0/installed": "",
                 "torch/lib/libtorch.so": "", "torch/version.py": "__version__ = '2.13.0+cpu'\n",
                 "torch/share/cmake/Torch/TorchConfig.cmake": "", "tools/setup.sh": "#!/bin/sh\necho build/release\n"}
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        shutil.copy(SOURCES / "tools/bundle.sh", root / "tools")
        for name, text in {
                "pkg-config": "echo 4.6.0", "patchelf": "", "strip": "",
                "ldd": f'echo "libz.so.1 => {root}/LICENSE (0x01)"', "dpkg-query": "echo zlib1g:amd64: $2",
                "objdump": 'case "$1 $2" in\n'
                           '  -T*) echo GLIBC_2.36 GLIBCXX_3.4.30 ;;\n'
                           '  */LICENSE) echo " SONAME libz.so.1" ;;\n'
                           '  *) echo " NEEDED libz.so.1"; echo " SONAME libkindred_plugin_api.so.0" ;;\n'
                           'esac',
                "cmake": 'mkdir "$4"; cd "$4"; mkdir -p bin include lib/cmake lib/kindred/plugins share/kindred\n'
                         'touch lib/libkindred.so.0.1 lib/libkindred_plugin_api.so.0.1.0\n'
                         'touch lib/kindred/plugins/mine.so lib/kindred/plugins/faiss.so\n'
                         'printf "#!/bin/sh\\ncase \\$1 in --version) echo \\$LD_LIBRARY_PATH ;; *) " >bin/kindred\n'
                         'printf "$(cat "$OLDPWD/lists") ;; esac" >>bin/kindred; chmod +x bin/kindred',
        }.items():
            self.checkout.stand_in(name, text)

        def bundle(out, *options):
            return self.checkout.run(root / "tools/bundle.sh", "--torch", "a checkout/torch", "--out", out, *options,
                                     folder=root.parent)

        (root / "lists").write_text("true")
        code, _, error, _ = bundle("made")
        self.assertEqual(code, 0, error)
        made = (root.parent / "made").rename(root.parent / "moved away")
        self.assertEqual(sorted(file.name for file in (made / "share/kindred/licenses").iterdir()),
                         ["LICENSE", "NOTICE", "libboost-dev", "libcli11-dev", "libgloo-dev", "nlohmann-json3-dev",
                          "zlib1g"])
        self.assertEqual(sorted(str(file.relative_to(made)) for file in (made / "lib").rglob("*.so*")),
                         ["lib/kindred/plugins/mine.so", "lib/libkindred_plugin_api.so.0", "lib/libz.so.1"])
        self.assertIn("glibc 2.36", (made / "README.txt").read_text())
        self.assertEqual(self.checkout.run(made / "bin/kindred", "--torch", f"{root}/torch", "--version",
                                           LD_LIBRARY_PATH="")[1], f"{root}/torch/lib\n")

        self.assertEqual(bundle("with faiss", "--with-faiss")[0], 0)
        self.assertTrue((root.parent / "with faiss/share/kindred/licenses/libfaiss-dev").exists())
        self.assertTrue((root.parent / "with faiss/lib/kindred/plugins/faiss.so").exists())

        (root / "lists").write_text("echo it is broken >&2; exit 1")
        self.assertIn("it is broken", bundle("broken bundle")[2])
        self.assertFalse((root.parent / "broken bundle").exists())

    def test_a_bundle_takes_libraries_of_a_folder_with_a_space_in_its_name(self):
        self.checkout.stand_in("ldd", 'echo "linux-vdso.so.1 (0x01)"; echo "libown.so.1 => /a folder/libown.so.1 (0x02)"\n'
                               'echo "libz.so.1 => /usr/lib/libz.so.1 (0x03)"; echo "liblost.so => not found"')
        self.checkout.stand_in("objdump", 'case $2 in\n'
                               '  program) echo "  NEEDED  libown.so.1"; echo "  NEEDED  libc.so.6" ;;\n'
                               '  "/a folder/libown.so.1") echo "  NEEDED  libz.so.1" ;;\n'
                               '  broken) echo "  NEEDED  liblost.so" ;;\n'
                               'esac')
        script = str(SOURCES / "tools/bundle/libraries.sh")
        self.assertEqual(self.checkout.run(script, "torch", "program")[:2],
                         (0, "/a folder/libown.so.1\n/usr/lib/libz.so.1\n"))
        code, out, error, _ = self.checkout.run(script, "torch", "broken")
        self.assertEqual((code, out, error), (1, "", "error: broken needs liblost.so, which is not on this machine\n"))

    def test_a_bundle_finds_sources_by_either_format_of_the_lists_of_packages(self):
        script = str(SOURCES / "tools/bundle/sources.sh")
        etc, out = self.checkout.root / "etc", self.checkout.root / "out"
        (etc / "sources.list.d").mkdir(parents=True)
        out.mkdir()

        def sources():
            code, _, error, _ = self.checkout.run(script, str(etc), str(out))
            self.assertEqual(code, 0, error)
            return (out / "source.list").read_text(), (out / "source.sources").read_text()

        # What Debian's installer writes, and what its container has.
        (etc / "sources.list").write_text("# deb old\ndeb http://deb.debian.org/debian bookworm main\n")
        lines = "deb-src http://deb.debian.org/debian bookworm main\n"
        self.assertEqual(sources(), (lines, ""))
        (etc / "sources.list.d/more.list").write_text("deb [signed-by=/key] http://more stable main\n")
        self.assertEqual(sources(), (lines + "deb-src [signed-by=/key] http://more stable main\n", ""))
        for file in etc.rglob("*.list"):
            file.unlink()
        for name in ("a", "b"):
            (etc / f"sources.list.d/{name}.sources").write_text(f"Types: deb\nURIs: http://{name}\n")
        self.assertEqual(sources(), ("", "Types: deb-src\nURIs: http://a\n\nTypes: deb-src\nURIs: http://b\n\n"))

    def test_pip_takes_the_libtorch_of_the_package_unless_another_one_is_named(self):
        root = self.checkout.root
        package, named = root / "packages/torch", root / "named"
        for folder in (package, named):
            (folder / "share/cmake/Torch").mkdir(parents=True)
            (folder / "share/cmake/Torch/TorchConfig.cmake").touch()
        self.checkout.stand_in("python", f"echo '{package}'")
        (root / "chosen.cmake").write_text(f'include("{SOURCES}/cmake/KindredPython.cmake")\n'
                                           'kindred_choose_python_torch()\nmessage("${Torch_DIR}")\n')
        for environment, wanted in (({}, package), ({"KINDRED_TORCH": ""}, package),
                                    ({"KINDRED_TORCH": str(named)}, named)):
            _, _, chosen, _ = self.checkout.run(CMAKE, f"-DPython_EXECUTABLE={self.checkout.programs}/python", "-P",
                                                "chosen.cmake", **environment)
            self.assertEqual(chosen, f"{wanted}/share/cmake/Torch\n")

    def test_a_plugin_that_includes_libtorch_gets_it_precompiled_however_its_sources_are_named(self):
        root = self.checkout.root
        (root / "parts").mkdir()
        (root / "plugin.cpp").write_text("#include <kindred/core/plugin.h>\n")
        (root / "parts/part.cpp").write_text('#include "part.h"\n')
        (root / "plugin.cmake").write_text(
            "cmake_minimum_required(VERSION 3.25)\n"
            "foreach(command add_library install set_property set_target_properties target_compile_features\n"
            "                target_compile_options target_link_libraries target_link_options)\n"
            "  function(${command})\n  endfunction()\n"
            "endforeach()\n"
            "function(get_target_property result)\n"
            f'  set(${{result}} "{SOURCES}/framework/include" PARENT_SCOPE)\n'
            "endfunction()\n"
            f'include("{SOURCES}/cmake/KindredAddPlugin.cmake")\n'
            "function(kindred_use_precompiled_torch target)\n  message(${target})\nendfunction()\n"
            "kindred_add_plugin(mine SOURCES ${sources})\n")
        for role, precompiled in (("loss", "mine_plugin\nmine_objects\n"), ("schedule", "")):
            (root / "parts/part.h").write_text(f"#include <kindred/role/{role}.h>\n")
            # As file(GLOB) names them, too, and one that is made while building.
            for sources in ("parts/part.cpp", f"{root}/parts/part.cpp", f"{root}/made.cpp;parts/part.cpp"):
                code, _, error, _ = self.checkout.run(CMAKE, f"-Dsources={sources}", "-P", "plugin.cmake")
                self.assertEqual((code, error), (0, precompiled), sources)

    def test_clang_tidy_looks_at_what_is_built(self):
        root = self.checkout.root
        shutil.copy(SOURCES / "tools/lint.sh", root / "tools")
        (root / "build").mkdir()
        (root / "build/compile_commands.json").write_text(f'"{root}/framework/a.cpp"\n')
        self.checkout.stand_in("clang-tidy-14", 'echo "tidy $*" >>calls')

        def looked_at(*files):
            code, _, error, calls = self.checkout.run("tools/lint.sh", *map(str, files), KINDRED_BUILD="build")
            self.assertEqual(code, 0, error)
            return re.findall("[^ ]*[.]cpp", calls), error

        for name in ("framework/a.cpp", "./framework/a.cpp", root / "framework/a.cpp"):
            self.assertEqual(looked_at(name, "examples/b.cpp")[0], ["framework/a.cpp"])
        found, error = looked_at("examples/b.cpp")
        self.assertEqual(found, [])
        self.assertIn("left out, as it is not built: examples/b.cpp", error)
        self.assertEqual(self.checkout.run("tools/lint.sh", "examples/b.cpp", KINDRED_BUILD="build")[3], "")

    def test_a_failed_build_starts_nothing(self):
        self.checkout.stand_in("cmake", 'case $1 in --build) exit 1 ;; esac; while [ "$1" != -B ]; do shift; done; '
                               'mkdir -p "$2"; touch "$2/build.ninja"')
        code, _, error, calls = self.checkout.run("./test.sh")
        self.assertEqual(code, 1)
        self.assertIn("error: the build failed", error)
        self.assertNotIn("ctest", calls)


class FaultsTest(unittest.TestCase):
    """tools/faults.py, with a launcher that does nothing."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kindred-")
        self.addCleanup(folder.cleanup)
        sys.path.insert(0, str(SOURCES / "tools"))
        self.addCleanup(sys.path.remove, str(SOURCES / "tools"))
        self.command = types.SimpleNamespace(name="idle", shows_what_it_can=False, make=lambda stock, work: None,
                                             arguments=lambda stock, work: ["idle"], again=lambda stock, work: ["idle"])
        self.options = types.SimpleNamespace(seed=1, jobs=1, calls=None, every=False, limit=0, effect="", lasting=False,
                                             json=None)
        self.folder = pathlib.Path(folder.name)

    def place(self, calls):
        """A workplace whose launcher makes these calls, as it says, and no fault reaches it."""
        from fault_campaigns.workplace import Workplace

        class IdlePlace(Workplace):
            def __init__(self, scratch):
                self.scratch, self.stock, self.inputs, self.library = scratch, scratch / "stock", {}, "none"
                self.stock.mkdir()

            def run(self, arguments, environment=None, seconds=300):
                return subprocess.CompletedProcess(arguments, 0, "", "")

            def calls(self, command, work):
                return calls

        return IdlePlace(self.folder)

    def test_a_campaign_that_disturbs_nothing_fails(self):
        from fault_campaigns.calls import CallCampaign

        for calls in ([], [("write", 1, "file", "", "stack")]):
            with contextlib.redirect_stdout(io.StringIO()), self.assertRaisesRegex(SystemExit, "nothing was tested"):
                CallCampaign(self.place(calls), self.options).run([self.command])
            shutil.rmtree(self.folder / "stock")

    def test_a_check_of_the_order_of_no_names_fails(self):
        from fault_campaigns.order import OrderCheck

        with contextlib.redirect_stdout(io.StringIO()):
            with self.assertRaisesRegex(SystemExit, "nothing was tested"):
                OrderCheck(self.place([])).run([self.command])
            shutil.rmtree(self.folder / "stock")
            self.assertEqual(OrderCheck(self.place([("rename", 1, "b", "a", "")])).run([self.command]), 0)

    def test_a_folder_on_disk_is_none_of_its_files(self):
        from fault_campaigns.order import OrderCheck

        for sync, violated in (("f/.a.tmp", "-"), 0), (("f", "*"), 0), (("f", "-"), 1):
            calls = [("write", 1, "f/.a.tmp", "-", ""), ("sync", 1, *sync, ""), ("rename", 1, "f/a", "f/.a.tmp", "")]
            with self.subTest(sync), contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(OrderCheck(self.place(calls)).run([self.command]), violated)
            shutil.rmtree(self.folder / "stock")

    def test_the_name_of_a_new_folder_must_be_on_disk_too(self):
        from fault_campaigns.order import OrderCheck

        made = self.folder / "made/below"
        made.mkdir(parents=True)
        own, parent, above = (str(made), "-"), (str(made.parent), "-"), (str(self.folder), "*")
        for sync, violated in ([], 1), ([own], 1), ([parent], 0), ([above], 0):
            calls = [("mkdir", 1, str(made), "-", ""), *(("sync", 1, *call, "") for call in sync)]
            with self.subTest(sync), contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(OrderCheck(self.place(calls)).run([self.command]), violated)
            shutil.rmtree(self.folder / "stock")

    def test_a_command_that_fails_without_its_fault_is_a_violation(self):
        from fault_campaigns.calls import CallCampaign

        place = self.place([("write", 1, "file", "-", "stack")])
        place.run = lambda arguments, environment=None, seconds=300: subprocess.CompletedProcess(
            arguments, 1 if environment and "KINDRED_FAULT" in environment else 0, "", "error: something else")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(CallCampaign(place, self.options).run([self.command]), 1)
        self.assertIn("exit code 1 without any fault", out.getvalue())

    def test_a_run_that_ends_after_kills_is_compared_before_the_command_is_given_again(self):
        from fault_campaigns.checks import Undisturbed
        from fault_campaigns.kills import KillCampaign

        place = self.place([])

        def run(arguments, environment=None, seconds=300):
            (arguments[1] / "result").write_text("right\n")
            return subprocess.CompletedProcess(arguments, 0, "", "")

        place.run = run
        place.calls = lambda command, work: [] if run(["idle", work]) else None
        self.command.arguments = self.command.again = lambda stock, work: ["idle", work]
        self.options.seconds = 1000
        undisturbed = Undisturbed(place, self.command)
        for written, violations in ("right", []), ("wrong", ["other bytes in the end: result"]):
            place.program = lambda arguments, text=written: ["sh", "-c", f"echo {text} >'{arguments[1]}/result'"]
            fault = KillCampaign(place, self.options)._killed(undisturbed, random.Random(1), 0)
            self.assertEqual(fault.violations, violations)


def errors_of_check(test, files, script, *options):
    """What a check of the sources in tools/ says of a tree with these files."""
    with tempfile.TemporaryDirectory(prefix="kindred-") as root:
        for name, content in files.items():
            path = pathlib.Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        done = subprocess.run([sys.executable, SOURCES / "tools" / script, *options, root], capture_output=True,
                              text=True, check=False)
    test.assertEqual(done.returncode, 1 if done.stderr else 0)
    return done.stderr


class DependenciesTest(unittest.TestCase):
    """tools/dependencies.py, over a small tree in which no rule is broken, or one."""

    TREE = {
        "framework/include/kindred/core/value.h": "#include <string>\n#include <torch/types.h>\n",
        "framework/include/kindred/role/head.h": '#include "kindred/core/value.h"\n',
        "framework/src/text/number.h": "#include <string>\n",
        "framework/src/file/zip.h": '#include "text/number.h"\n',
        "framework/src/file/zip.cpp": '#include "file/zip.h"\n#include <zip.h>\n',
        "framework/src/stage/train.h": '#include "file/zip.h"\n#include "kindred/role/head.h"\n',
        "plugins/mgn/mgn.h": '#include "kindred/role/head.h"\n',
        "plugins/mgn/mgn.cpp": '#include "mgn.h"\n#include <zlib.h>\n',
    }

    def errors_with(self, file, text):
        return errors_of_check(self, {**self.TREE, file: text}, "dependencies.py")

    def test_a_tree_that_keeps_the_rules_passes(self):
        self.assertEqual(self.errors_with("framework/src/data/loader.cpp", '#include "file/zip.h"\n'), "")

    def test_each_rule_that_is_broken_is_found(self):
        for file, included, message in (
                ("framework/src/text/number.cpp", '"stage/train.h"',
                 ":1: error: room text may not include room stage, which is of a later level"),
                ("framework/src/text/number.cpp", '"file/zip.h"', "error: rooms include each other in a circle: "),
                ("framework/src/attic/old.cpp", '"text/number.h"', "attic: error: the room has no place in the order"),
                ("framework/src/data/loader.cpp", '"file/gone.h"', ':1: error: there is no "file/gone.h"'),
                ("framework/src/data/loader.cpp", "<zip.h>", ":1: error: only file/zip.cpp may include <zip.h...>"),
                ("framework/include/kindred/core/schema.h", "<boost/crc.hpp>", "may not include <boost/crc.hpp>"),
                ("framework/include/kindred/core/schema.h", '"text/number.h"', 'may not include "text/number.h"'),
                ("framework/include/kindred/role/loss.h", '"kindred/role/head.h"', "a role may not know another one"),
                ("plugins/fc/fc.cpp", '"../mgn/mgn.h"', 'a plugin may not include "../mgn/mgn.h"'),
                ("plugins/fc/fc.cpp", '"text/number.h"', 'a plugin may not include "text/number.h"')):
            with self.subTest(f"{file} includes {included}"):
                self.assertIn(message, self.errors_with(file, f"#include {included}\n"))


class IncludesTest(unittest.TestCase):
    """tools/check_includes.py, over files with what they need, or not."""

    def errors_of(self, **files):
        return errors_of_check(self, {f"framework/src/text/{name.replace('_', '.')}": text
                                      for name, text in files.items()}, "check_includes.py", "--root")

    def test_what_a_file_or_its_own_header_includes_is_enough(self):
        self.assertEqual(self.errors_of(a_h="#include <string>\nstd::string name();\n",
                                        a_cpp='#include "text/a.h"\n#include <vector>\n'
                                              "std::vector<std::string> names;  // no std::map\n"), "")

    def test_what_is_missing_or_of_no_use_is_found(self):
        self.assertIn("framework/src/text/a.cpp:1: error: uses std::vector without #include <vector>",
                      self.errors_of(a_cpp="std::vector<int> numbers;\n"))
        self.assertIn("framework/src/text/a.cpp: error: includes <map> and uses nothing of it",
                      self.errors_of(a_cpp="#include <map>\nint number;\n"))
        # Another file's header does not count, whatever it happens to include.
        self.assertIn("a.cpp:2: error: uses std::vector",
                      self.errors_of(b_h="#include <vector>\nstd::vector<int> b();\n",
                                     a_cpp='#include "text/b.h"\nstd::vector<int> numbers;\n'))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
