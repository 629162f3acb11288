"""kindred.Model, beside what the launcher extracts."""
import os
import pathlib
import shutil
import tempfile
import threading
import unittest

import numpy as np

import kindred
from helpers import SOURCE, printed_after_ctrl_c, run_launcher

TINY = SOURCE / "tests/e2e/tiny.toml"


def read_bmp(file):
    """The pixels of a BMP with 24 bits, in the order R, G, B."""
    content = file.read_bytes()
    start, width, height = (int.from_bytes(content[at:at + 4], "little") for at in (10, 18, 22))
    assert content[:2] == b"BM" and content[28] == 24
    row = (3 * width + 3) // 4 * 4
    rows = np.frombuffer(content, np.uint8, row * height, start).reshape(height, row)[::-1, :3 * width]
    return rows.reshape(height, width, 3)[:, :, ::-1].copy()


class Extract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        run_launcher("train", TINY, "--run-dir", cls.folder / "run", "--set", "train.epochs=1", "--set",
                     "schedule.warmup_epochs=0", "--set", "schedule.milestones=[1]", "--quiet")
        cls.file = next((cls.folder / "run").rglob("model.safetensors"))
        run_launcher("data", "convert", TINY, "--out", cls.folder / "data", "--layout", "market1501", "--format", "bmp")
        run_launcher("embed", "--weights", cls.file, "--data", cls.folder / "data", "--out", cls.folder / "features",
                     "--quiet")
        lines = (cls.folder / "features/query.csv").read_text().splitlines()[1:]
        cls.paths = [cls.folder / "data" / line.split(",")[0] for line in lines]
        cls.wanted = np.load(cls.folder / "features/query.npy")
        cls.model = kindred.Model(cls.file)

    def test_is_what_the_launcher_extracts_of_files_and_of_pixels(self):
        self.assertEqual((self.model.dim, self.model.image_size), (self.wanted.shape[1], (48, 24)))
        self.assertGreater(len(self.paths), 5)
        found = self.model.extract(self.paths)
        self.assertEqual(found.dtype, np.float32)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(found, self.wanted, atol=2e-5)
        pixels = [read_bmp(path) for path in self.paths]
        np.testing.assert_allclose(self.model.extract(pixels), self.wanted, atol=2e-5)
        np.testing.assert_allclose(self.model.extract(np.stack(pixels)), self.wanted, atol=2e-5)
        np.testing.assert_allclose(self.model.extract([str(self.paths[0]), pixels[1]]), self.wanted[:2], atol=2e-5)
        # The order of the colors matters, else this would say nothing.
        wrong = self.model.extract([image[:, :, ::-1] for image in pixels])
        self.assertGreater(np.abs(wrong - self.wanted).max(), 1e-3)

    def test_layouts_of_pixels(self):
        image = read_bmp(self.paths[0])
        wanted = self.wanted[:1]
        frame = np.zeros((200, 300, 3), np.uint8)
        frame[20:20 + image.shape[0], 30:30 + image.shape[1]] = image
        crop = frame[20:20 + image.shape[0], 30:30 + image.shape[1]]
        self.assertIs(kindred._images.images([crop])[0], crop)  # shared
        backward = image[:, :, ::-1].copy()[:, :, ::-1]
        read_only = np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape)
        rgba = np.dstack([image, np.full(image.shape[:2], 7, np.uint8)])
        for name, one in [("crop", crop), ("backward", backward), ("read-only", read_only), ("rgba", rgba),
                          ("upside down", image[::-1].copy()[::-1]), ("Fortran", np.asfortranarray(image))]:
            with self.subTest(name):
                np.testing.assert_allclose(self.model.extract([one]), wanted, atol=2e-5)
        gray = image[:, :, 0]
        np.testing.assert_allclose(self.model.extract([gray]), self.model.extract([np.dstack([gray] * 3)]), atol=2e-5)

    def test_images_of_pil(self):
        class Image:
            """What is asked of one of PIL."""

            def __init__(self, mode, pixels):
                self.mode, self.pixels = mode, pixels

            def convert(self, mode):
                return Image(mode, np.dstack([self.pixels] * 3))

            def __array__(self, dtype=None, copy=None):
                return np.asarray(self.pixels, dtype)

        image = read_bmp(self.paths[0])
        np.testing.assert_allclose(self.model.extract([Image("RGB", image)]), self.wanted[:1], atol=2e-5)
        gray = image[:, :, 0]
        np.testing.assert_allclose(self.model.extract([Image("L", gray)]), self.model.extract([gray]), atol=2e-5)
        for mode in ("I;16", "I", "F"):
            with self.subTest(mode), self.assertRaisesRegex(TypeError, rf"images\[0\] has the mode {mode} of PIL; give 8-bit"):
                self.model.extract([Image(mode, gray)])

    def test_pixels_of_the_caller_stay_as_they_are(self):
        image = read_bmp(self.paths[0]).copy()
        before = image.copy()
        self.model.extract([image, image])
        np.testing.assert_array_equal(image, before)

    def test_names_that_are_not_utf_8(self):
        with tempfile.TemporaryDirectory() as folder:
            image, model = (os.path.join(os.fsencode(folder), name) for name in (b"l\xe9a.bmp", b"mod\xe8le.safetensors"))
            shutil.copy(self.paths[0], image)
            shutil.copy(self.file, model)
            found = kindred.Model(os.fsdecode(model)).extract([os.fsdecode(image)])
            np.testing.assert_allclose(found, self.wanted[:1], atol=2e-5)
            with self.assertRaisesRegex(kindred.DataError, r"b\\xE9e\.bmp: error: does not exist"):
                self.model.extract([os.fsdecode(os.path.join(os.fsencode(folder), b"b\xe9e.bmp"))])
            # Also where a message names the file once more.
            inside = os.path.join(os.fsencode(folder), b"mod\xe8les")
            os.mkdir(inside)
            shutil.copy(model, os.path.join(inside, b"model.safetensors"))
            with self.assertRaisesRegex(kindred.DataError, r"is a folder; give a model file in it: .*mod\\xE8les"):
                kindred.Model(os.fsdecode(inside))

    def test_a_file_called_as_an_array_is_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(self.paths[1], os.path.join(folder, "images[0]"))
            before = os.getcwd()
            os.chdir(folder)
            try:
                found = self.model.extract([read_bmp(self.paths[0]), "images[0]"])
            finally:
                os.chdir(before)
            np.testing.assert_allclose(found, self.wanted[:2], atol=2e-5)

    def test_no_images_are_no_descriptors(self):
        self.assertEqual(self.model.extract([]).shape, (0, self.model.dim))

    def test_batches_change_nothing(self):
        for batch in (1, 3):
            np.testing.assert_allclose(kindred.Model(self.file, batch=batch).extract(self.paths), self.wanted, atol=2e-5)

    def test_overrides_and_identity(self):
        flipped = kindred.Model(self.file, overrides=["embed.flip_test=true"])
        self.assertGreater(np.abs(flipped.extract(self.paths) - self.wanted).max(), 1e-4)
        self.assertNotEqual(flipped.model_id, self.model.model_id)
        self.assertEqual(kindred.Model(self.file, precision="fp32").model_id, self.model.model_id)
        self.assertFalse(self.model.needs_cameras or self.model.needs_views)
        self.assertIn("48 x 24", repr(self.model))

    def test_several_threads(self):
        failures = []

        def work():
            try:
                for _ in range(3):
                    np.testing.assert_allclose(self.model.extract(self.paths), self.wanted, atol=2e-5)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_ctrl_c_ends_the_work(self):
        script = f"""
import numpy as np, kindred
model = kindred.Model({str(self.file)!r}, batch=4)
images = [np.zeros((48, 24, 3), np.uint8)] * 4000
print("ready", flush=True)
try:
    while True:
        model.extract(images)
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(model.extract(images[:1]).shape[0], flush=True)
"""
        self.assertEqual(printed_after_ctrl_c(self, script, 0.3), "interrupted\n1\n")

    def test_another_default_type_of_pytorch_is_an_error_that_says_so(self):
        try:
            import torch
        except ImportError:
            self.skipTest("the package torch is not installed, or has another LibTorch")
        self.addCleanup(torch.set_default_dtype, torch.float32)
        torch.set_default_dtype(torch.float64)
        for work in (lambda: kindred.Model(self.file), lambda: self.model.extract(self.paths[:1]),
                     lambda: kindred.match(np.eye(3), np.eye(3))):
            with self.assertRaisesRegex(kindred.Error, r"torch\.set_default_dtype\(\)"):
                work()

    def test_errors(self):
        (self.folder / "broken.jpg").write_bytes(b"\xff\xd8 no image")
        image = np.zeros((10, 10, 3), np.uint8)
        for images, error, text in [
            ([image, self.folder / "missing.jpg"], kindred.DataError, "missing.jpg: error: "),
            ([self.folder / "broken.jpg"], kindred.DataError, "broken.jpg: error: "),
            ([image.astype(np.float32)], TypeError, r"images\[0\] has the type float32; give 8-bit pixels"),
            ([image, np.zeros((3, 10, 10), np.uint8)], ValueError, r"images\[1\] has the shape \(3, 10, 10\)"),
            ([image[:0]], ValueError, r"images\[0\] has the shape \(0, 10, 3\), which holds no pixels"),
            (image, ValueError, r"images has the shape \(10, 10, 3\); give \[N, height, width, 3\], or a list"),
            ("a.jpg", TypeError, r"images is one path; give a list: \['a.jpg'\]"),
        ]:
            with self.subTest(text), self.assertRaisesRegex(error, text):
                self.model.extract(images)
        with self.assertRaisesRegex(ValueError, r"cameras has the shape \(2,\)"):
            self.model.extract([image], cameras=[1, 2])
        for arguments, error, text in [
            ({"path": self.folder / "none.safetensors"}, kindred.DataError, "none.safetensors: error: "),
            ({"path": TINY}, kindred.DataError, "tiny.toml: error: "),
            ({"device": "gpu"}, kindred.Error, "unknown device 'gpu'; allowed are"),
            ({"precision": "fp8"}, kindred.Error, "'fp8' is unknown"),
            ({"batch": 0}, ValueError, "batch is 0; give at least 1"),
            ({"overrides": ["embed.flip=true"]}, kindred.RecipeError, r"\[embed\] has no 'flip'|embed.flip"),
            ({"overrides": "embed.flip_test=true"}, TypeError, "overrides is one text"),
        ]:
            with self.subTest(text), self.assertRaisesRegex(error, text):
                kindred.Model(**{"path": self.file, **arguments})


if __name__ == "__main__":
    unittest.main()
