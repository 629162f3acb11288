"""What the documents say to type: recipes that are right, commands and options that exist, links that lead somewhere.

    python3 tests/tools/docs_test.py LAUNCHER [unittest's arguments]

A recipe in a document, a block of `toml`, has to pass `kindred check`. Most are parts of recipes: they are checked as
if they extended configs/quickstart/model.toml, unless a comment above the block, which no reader sees, says otherwise:

    <!-- check: extends configs/market1501/small.toml -->   another recipe; behind it KEY=VALUE, as for --set
    <!-- check: file configs/my_pipeline.toml -->           as this file, whole, which the next ones may extend
    <!-- check: not, WHY -->
"""

import functools
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

SOURCES = pathlib.Path(__file__).resolve().parents[2]
# But not the changelog, which names what was.
DOCUMENTS = [*sorted((SOURCES / "docs").glob("*.md")), SOURCES / "README.md", SOURCES / "CONTRIBUTING.md"]
REFERENCE = sorted((SOURCES / "docs/reference").glob("*.md"))
LAUNCHER = ""

BLOCK = re.compile(r"(?:^ *<!-- check: (?P<how>.*?) -->\n+)?"
                   r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)


def kindred(*arguments):
    # Where no data lie that a recipe could find.
    return subprocess.run([LAUNCHER, *arguments], capture_output=True, text=True, cwd="/", check=False)


def blocks(document, language):
    """The line, how it is to be checked and the text of each block."""
    text = document.read_text()
    for found in BLOCK.finditer(text):
        if found["language"] == language:
            yield text.count("\n", 0, found.start("text")) + 1, found["how"] or "", textwrap.dedent(found["text"])


def refusal(place, how, text):
    """What is wrong with a recipe, in a folder that has the shipped ones."""
    what, of, *settings = how.split() or ["extends", "configs/quickstart/model.toml"]
    is_study = re.search(r"^\[\[(variant|axis)\]\]", text, re.M)
    whole = what == "file" or is_study or re.search(r"^extends =", text, re.M)
    file = place / (of if what == "file" else "recipe.toml")
    file.write_text(text if whole else f'extends = "{of}"\n{text}')
    command = ["study", "--dry-run", "--run-dir", place / "runs"] if is_study else ["check"]
    checked = kindred(*command, file, *(f"--set={setting}" for setting in settings))
    return checked.stderr if checked.returncode else ""


class Recipes(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="kindred-")
        self.addCleanup(made.cleanup)
        self.place = pathlib.Path(made.name)
        shutil.copytree(SOURCES / "configs", self.place / "configs")

    def test_are_accepted(self):
        count = 0
        for document in DOCUMENTS:
            for line, how, text in blocks(document, "toml"):
                if how.startswith("not, "):
                    continue
                count += 1
                with self.subTest(f"{document.name}:{line}"):
                    self.assertRegex(how, r"^((extends|file) \S+.*)?$")
                    self.assertEqual(refusal(self.place, how, text), "")
        self.assertGreater(count, 20)

    def test_in_a_list_are_found_too(self):
        page = self.place / "page.md"
        page.write_text("```toml\na = 1\n```\n"
                        "- One:\n\n  <!-- check: file b.toml -->\n  ```toml\n  [b]\n  c = 1\n  ```\n")
        self.assertEqual(list(blocks(page, "toml")), [(2, "", "a = 1\n"), (8, "file b.toml", "[b]\nc = 1\n")])

    def test_with_a_fault_would_be_found(self):
        for text in ("[train]\nepoch = 3\n", "[backbone]\ntype = 'resnet'\nwidth = 2\n", "seed = = 1\n",
                     "[metric.retrieval]\ndepth = -1\n", "[[variant]]\nname = 'a'\n"):
            with self.subTest(text):
                self.assertIn("error: ", refusal(self.place, "", text))


@functools.cache
def help_of(*command):
    shown = kindred(*command, "--help")
    return shown.stdout if shown.returncode == 0 else ""


@functools.cache
def commands_of(*command):
    """The commands below a command, as its help lists them."""
    listed = re.search(r"^Subcommands:\n((?:  .*\n?)+)", help_of(*command), re.M)
    return set(re.findall(r"^  (\S+)", listed[1], re.M)) if listed else set()


def launcher_lines(document):
    """What calls the launcher in blocks of commands and in the text: the words behind its name."""
    for _, _, text in blocks(document, "sh"):
        for line in text.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\||;|(?<!\S)[|&](?!\S)", re.sub(r"(^|\s)#.*", "", line)):
                yield part
    yield from re.findall(r"`(kindred [^`]*)`", re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S))


def words_of(line):
    """What is behind the launcher's name, where a line calls it, also through what starts several of it."""
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    starters = ("torchrun", "mpirun", "srun")
    for at, word in enumerate(words):
        if word.rpartition("/")[2] == "kindred":
            return [behind.rstrip(",") for behind in words[at + 1:]] if at == 0 or words[0] in starters else None
    return None


def wrong_command(words):
    """What the launcher does not have of it."""
    command = []
    options = False
    for word in words:
        if word.startswith("-") and word != "-":
            options = True
            name = word.partition("=")[0]
            if not re.search(rf"(^|[\s,]){re.escape(name)}(?![\w-])", help_of(*command), re.M):
                return f"kindred {' '.join(command)} has no option {name}"
        elif not options and commands_of(*command) and re.fullmatch(r"[a-z]+", word):
            if word not in commands_of(*command):
                return f"kindred {' '.join(command)} has no command {word}"
            command.append(word)
    return ""


class Commands(unittest.TestCase):
    def test_and_their_options_exist(self):
        count = 0
        for document in DOCUMENTS:
            for line in launcher_lines(document):
                words = words_of(line)
                if words is None:
                    continue
                count += 1
                with self.subTest(f"{document.name}: {line.strip()}"):
                    self.assertEqual(wrong_command(words), "")
        self.assertGreater(count, 100)

    def test_that_do_not_exist_would_be_found(self):
        for line, wrong in (("kindred trian mine.toml", "has no command trian"), ("kindred --versio", "has no option"),
                            ("torchrun --x kindred run a --ran 2", "run has no option --ran"),
                            ("bin/kindred data docter x", "data has no command docter")):
            with self.subTest(line):
                self.assertIn(wrong, wrong_command(words_of(line)))

    def test_name_recipes_that_are_there(self):
        for document in DOCUMENTS:
            for name in re.findall(r"(?<![\w/.-])configs/[a-z\d/_.-]+\.toml", document.read_text()):
                if re.search("/(mine|my_[a-z]+)[.]toml$", name):  # a reader's own
                    continue
                with self.subTest(f"{document.name}: {name}"):
                    self.assertTrue((SOURCES / name).is_file())


@functools.cache
def anchors_of(document):
    """Of the headings, as GitHub makes them."""
    anchors = set()
    for heading in re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        again = 1
        while (name := anchor if again == 1 else f"{anchor}-{again - 1}") in anchors:
            again += 1
        anchors.add(name)
    return anchors


def broken_links(document):
    prose = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists():
            yield f"{target}: there is no such file"
        elif anchor and anchor not in anchors_of(file):
            yield f"{target}: {file.name} has no such heading"


class Links(unittest.TestCase):
    def test_lead_somewhere(self):
        for document in [*DOCUMENTS, *REFERENCE]:
            with self.subTest(document.name):
                self.assertEqual(list(broken_links(document)), [])

    def test_that_lead_nowhere_would_be_found(self):
        with tempfile.TemporaryDirectory(prefix="kindred-") as place:
            page = pathlib.Path(place) / "page.md"
            page.write_text("# One `two`\n[a](#one-two)[b](#one)[c](other.md)[d](page.md#one-two)[e](https://f.org)\n")
            self.assertEqual(list(broken_links(page)),
                             ["#one: page.md has no such heading", "other.md: there is no such file"])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LAUNCHER = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
