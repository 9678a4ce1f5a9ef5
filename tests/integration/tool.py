"""Running tidelock as a user does, and saying what is expected of it."""

import os
import re
import signal
import subprocess
import threading

from wait import wait_until


APPLIED = re.compile(r"(?m)^tidelock: applied (\S+) \(")


class Result:
    def __init__(self, tool, arguments, code, out, errors):
        self.tool = tool
        self.arguments = arguments
        self.code = code
        self.out = out
        self.errors = errors

    def _explain(self, why):
        log = self.tool.database.server.log.read_text(errors="replace") if self.tool.database else ""
        sessions = self.tool.database.sessions() if self.tool.database else ""
        return (
            f"{why}\n$ tidelock {' '.join(self.arguments)}\nexit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.errors}\n"
            f"--- sessions\n{sessions}\n--- server log\n{log[-3000:]}"
        )

    def succeeds(self, applied=None, says=None):
        assert self.code == 0, self._explain("should succeed")
        if applied is not None:
            assert APPLIED.findall(self.errors) == applied, self._explain(f"should apply {applied}")
        if says is not None:
            assert says in self.out + self.errors, self._explain(f"should say {says!r}")
        return self

    def fails(self, exit, says=None, at=None):
        assert self.code == exit, self._explain(f"should fail with exit {exit}")
        for text in [says] if isinstance(says, str) else says or []:
            assert text in self.errors, self._explain(f"should say {text!r}")
        if at is not None:
            assert str(at) in self.errors, self._explain(f"should point at {at}")
        assert "Sanitizer" not in self.errors, self._explain("memory error")
        return self


class Running:
    def __init__(self, tool, arguments, process):
        self.tool = tool
        self.arguments = arguments
        self.process = process
        self.seen = ""

    def wait(self, seconds=120):
        out, errors = self.process.communicate(timeout=seconds)
        return Result(self.tool, self.arguments, self.process.returncode, out.decode(errors="replace"), self.seen + errors.decode(errors="replace"))

    def wait_for_line(self, *texts, seconds=120):
        """Reads its log until a line holds all of `texts`; one that does not say so in time is killed."""
        line = ""
        deadline = threading.Timer(seconds, self.process.kill)
        deadline.start()
        try:
            while not all(text in line for text in texts):
                line = self.process.stderr.readline().decode(errors="replace")
                self.seen += line
                assert line, f"it ended without saying {texts}:\n{self.seen}"
        finally:
            deadline.cancel()

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.communicate()


class Tool:
    def __init__(self, binary, database, folder):
        self.binary = binary
        self.database = database
        self.folder = folder
        self.started = []

    def start(self, *arguments, url=None, environment=None, cwd=None):
        base = {"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "LC_ALL": "C"}
        if "MEMCHECK_BINARY" in os.environ:
            base["MEMCHECK_BINARY"] = os.environ["MEMCHECK_BINARY"]
        if url is None and self.database is not None:
            url = self.database.url()
        if url:
            base["DATABASE_URL"] = url
        process = subprocess.Popen(
            [self.binary, *map(str, arguments)],
            env={**base, **(environment or {})},
            cwd=cwd or (self.folder.root if self.folder else None),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        running = Running(self, [str(word) for word in arguments], process)
        self.started.append(running)
        return running

    def __call__(self, *arguments, **options):
        return self.start(*arguments, **options).wait()

    def clean_up(self):
        for running in self.started:
            if running.process.poll() is None:
                running.kill()


def wait_for_session(database, pattern, seconds=30):
    """The pid of a session of tidelock that runs something like `pattern` now."""
    find = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidelock%%' AND state = 'active' AND query LIKE %s"
    return wait_until(lambda: database.query(find, f"%{pattern}%"), f"a session that runs {pattern!r}", seconds)[0][0]


def wait_for_nobody(database):
    """Until no session of tidelock is left."""
    find = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tidelock%%' AND datname = %s"
    wait_until(lambda: not database.query(find, database.name), "all sessions of tidelock to end", 60)
