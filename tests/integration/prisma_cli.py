"""The real Prisma command line.

Its schema engine is a native binary that can't be had from a package registry; the same engine is published as WebAssembly. A
small program stands in for the binary: it speaks the command line's JSON-RPC, runs the WebAssembly engine, and gives it one session that gets each
script whole, as the native engine does.
"""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "npm" / "prisma"


def _install(path, text):
    """Puts an executable in place, whole, whoever else does the same at this moment."""
    if not path.exists() or path.read_text() != text:
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.rename(path)
    return path


class Prisma:
    def __init__(self, database, folder):
        self.database = database
        self.folder = folder
        folder.provider()
        (folder.root / "prisma" / "schema.prisma").write_text('datasource db {\n  provider = "postgresql"\n}\n')
        (folder.root / "prisma.config.mjs").write_text(
            "export default { schema: 'prisma/schema.prisma', datasource: { url: process.env.DATABASE_URL } }\n"
        )

    @staticmethod
    def is_installed():
        return (HOME / "wanted").exists()

    def start(self, *arguments):
        stand_in = (pathlib.Path(__file__).parent / "prisma" / "engine.mjs").read_text()
        _install(HOME / "engine" / "engine.mjs", stand_in)
        engine = _install(HOME / "engine" / "schema-engine", f'#!/bin/sh\nexec node --no-warnings {HOME}/engine/engine.mjs "$@"\n')
        return subprocess.Popen(
            ["node", HOME / "cli/node_modules/prisma/build/index.js", "migrate", *arguments],
            cwd=self.folder.root,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder.root),
                "DATABASE_URL": self.database.url(),
                "CHECKPOINT_DISABLE": "1",
                "PRISMA_HIDE_UPDATE_MESSAGE": "1",
                "PRISMA_SCHEMA_ENGINE_BINARY": str(engine),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __call__(self, *arguments):
        """(exit code, everything it printed)"""
        process = self.start(*arguments)
        out, _ = process.communicate(timeout=120)
        return process.returncode, out
