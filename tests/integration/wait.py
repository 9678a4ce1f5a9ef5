"""Waiting for a state that can be seen, with a deadline: the only place of the tests that sleeps."""

import time


def wait_until(condition, what, seconds=60):
    """The first true value of `condition()`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
