"""Each header compiles alone."""

import pathlib
import subprocess
import sys

FLAGS = "-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -Ientrypoint -fsyntax-only -x c".split()
libpq = subprocess.run(["pkg-config", "--cflags", "libpq"], capture_output=True, text=True, check=True).stdout.split()

bad = 0
for header in sorted([*pathlib.Path("entrypoint").rglob("*.h"), *pathlib.Path("cmd").rglob("*.h")]):
    done = subprocess.run(["cc", *FLAGS, *libpq, "-isystem", "build/deps/here/root/include/pg_query", "-include", str(header), "/dev/null"], capture_output=True, text=True)
    if done.returncode:
        bad += 1
        print(f"{header} does not compile alone:\n{done.stderr}")
sys.exit(bool(bad))
