import os
import signal
import subprocess
import sys
import time

import psutil

from medcore.settings import ROOT

KILLED = """
import subprocess, sys, time
from tests.keeper import begin_to_keep
begin_to_keep()
child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""
"""A process of tests that starts a server in a session of its own, and waits for it."""


def test_what_tests_started_ends_with_them_even_where_they_are_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        left = psutil.Process(int(tests.stdout.readline()))
        os.kill(tests.pid, signal.SIGSTOP)
        time.sleep(1.5)
        assert left.is_running(), "those who started it are about"
        tests.kill()
    psutil.wait_procs([left], timeout=60)
    assert not left.is_running()
