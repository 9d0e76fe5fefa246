"""Waiting for what a test cannot be told of."""

import time

DEADLINE = 120  # Seconds.


def wait_until(condition, what):
    """What the condition gives, once it is true. An AssertionError when it never is."""
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)
    return found
