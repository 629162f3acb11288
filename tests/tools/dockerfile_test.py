"""The Dockerfile copies all that its build needs: what it has copied by then can be configured.

    python3 tests/tools/dockerfile_test.py COMPILER [TORCH_DIR]

Exit code 1, and what is wrong, otherwise. Nothing is built, and no container engine is needed.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCES = pathlib.Path(__file__).resolve().parents[2]


def instructions():
    """Of the first stage, each in one line, until Kindred is built."""
    text = (SOURCES / "Dockerfile").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        yield line
        if line.startswith("RUN ") and "tools/setup.sh runtime" in line:
            return
    sys.exit("Dockerfile: there is no RUN with 'tools/setup.sh runtime'")


def main():
    compiler, torch_dir = (sys.argv[1:] + [""])[:2]
    ignored = (SOURCES / ".dockerignore").read_text().splitlines()
    with tempfile.TemporaryDirectory(prefix="kindred-") as place:
        # Folders above may be called as those of the engine.
        place = pathlib.Path(place) / "src/application"
        for line in instructions():
            if not line.startswith("COPY "):
                continue
            *names, target = line.split()[1:]
            for name in names:
                if "!" + name.split("/")[0] not in ignored:
                    sys.exit(f"{line}: .dockerignore leaves {name} out")
                to = place / (name if target == "./" else target)
                to.parent.mkdir(parents=True, exist_ok=True)
                if (SOURCES / name).is_dir():
                    shutil.copytree(SOURCES / name, to, dirs_exist_ok=True)
                else:
                    shutil.copy(SOURCES / name, to)
        options = line.split('KINDRED_CMAKE="')[1].split('"')[0].split()
        if torch_dir:
            options.append(f"-DTorch_DIR={torch_dir}")
        command = ["cmake", "-S", place, "-B", place / "build", "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={compiler}"]
        outcome = subprocess.run(command + options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if outcome.returncode != 0:
            sys.exit(f"what the Dockerfile copies before it builds cannot be configured:\n{outcome.stdout}")
        if "framework/src/stage/" not in (place / "build/build.ninja").read_text():
            sys.exit(f"the engine is left out in {place}")


if __name__ == "__main__":
    main()
