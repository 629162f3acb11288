"""Threads, the GIL and Ctrl-C."""
import signal
import subprocess
import sys
import threading
import time
import unittest

import numpy as np

import kindred
from helpers import Features, printed_after_ctrl_c


class Threads(unittest.TestCase):
    def test_other_threads_run_during_the_work(self):
        kindred.rerank(np.eye(2, 9, dtype=np.float32), np.eye(9, dtype=np.float32), k1=3, k2=1)
        # As much as takes a while on this machine.
        for gallery in (6000, 12000, 24000, 48000):
            made = Features(queries=300, gallery=gallery, dim=128)
            start, end, ticks = self.ticks_during(lambda: kindred.rerank(made.query, made.gallery))
            if end - start > 0.2:
                break
        # With the GIL held there would be none.
        inside = [one for one in ticks if start < one < end]
        self.assertGreater(end - start, 0.05, "too little work to see anything")
        self.assertGreater(len(inside), 5)
        self.assertLess(min(inside) - start, (end - start) / 2)

    @staticmethod
    def ticks_during(work):
        """When the work began and ended, and when another thread came by."""
        ticks = []
        done = threading.Event()

        def tick():
            while not done.is_set():
                ticks.append(time.monotonic())
                time.sleep(0.001)

        thread = threading.Thread(target=tick)
        thread.start()
        start = time.monotonic()
        work()
        end = time.monotonic()
        done.set()
        thread.join()
        return start, end, ticks

    def test_a_signal_handler_that_calls_meanwhile_gets_an_error_and_does_not_wait_for_itself(self):
        small = Features(queries=4, gallery=20)
        said = set()

        def handler(*_):
            try:
                kindred.match(small.query, small.gallery)
                signal.setitimer(signal.ITIMER_REAL, 0.005)  # the work had not begun
            except kindred.Error as error:
                said.add(str(error))

        before = signal.signal(signal.SIGALRM, handler)
        try:
            # As much as takes a while on this machine.
            for gallery in (6000, 12000, 24000, 48000):
                made = Features(queries=300, gallery=gallery, dim=128)
                signal.setitimer(signal.ITIMER_REAL, 0.005)
                kindred.rerank(made.query, made.gallery)
                if said:
                    break
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        self.assertEqual(len(said), 1)
        self.assertIn("Kindred is at work in this thread", said.pop())

    def test_calls_at_the_same_time_give_the_same(self):
        made = Features(queries=50, gallery=500)
        wanted = (kindred.rerank(made.query, made.gallery), kindred.match(made.query, made.gallery).indices,
                  kindred.evaluate(*made.all).figures)
        failures = []

        def work():
            try:
                for _ in range(5):
                    np.testing.assert_array_equal(kindred.rerank(made.query, made.gallery), wanted[0])
                    np.testing.assert_array_equal(kindred.match(made.query, made.gallery).indices, wanted[1])
                    np.testing.assert_equal(kindred.evaluate(*made.all).figures, wanted[2])
                    with_error(made)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_ctrl_c_ends_the_work(self):
        # The work takes minutes, and comes by the check of signals every few hundred milliseconds.
        script = """
import numpy as np, kindred
features = np.random.default_rng(1).standard_normal((30000, 256), dtype=np.float32)
kindred.match(features[:2], features[:2])
print("ready", flush=True)
try:
    while True:
        kindred.match(features, features, top=100)
except KeyboardInterrupt:
    print("interrupted", flush=True)
kindred.match(features[:2], features[:2])
print("works on", flush=True)
"""
        self.assertEqual(printed_after_ctrl_c(self, script, 0.5), "interrupted\nworks on\n")

    def test_set_threads(self):
        script = """
import kindred
kindred.set_threads(1)
assert "Threads   1 of " in kindred.version_text(), kindred.version_text()
for number in (-1, 4097):
    try:
        kindred.set_threads(number)
    except ValueError as error:
        print(error)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, "".join(
            f"threads is {number}; give a number from 1 to 4096, or 0 for all processors\n" for number in (-1, 4097))),
                         done.stderr)


def with_error(made):
    try:
        kindred.rerank(made.query, made.gallery, k1=0)
    except kindred.RecipeError:
        return
    raise AssertionError("no error")


if __name__ == "__main__":
    unittest.main()
