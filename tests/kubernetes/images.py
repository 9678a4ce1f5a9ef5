"""Images made of files, as archives that a container runtime imports: nothing can be pulled here."""

import hashlib
import io
import json
import pathlib
import re
import subprocess
import tarfile

from project import IMAGE

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAUSE = """
#include <signal.h>
#include <unistd.h>
static void end(int signal_number) { (void)signal_number; _exit(0); }
int main(void) { signal(SIGTERM, end); signal(SIGINT, end); for (;;) pause(); }
"""


def _add(layer, name, content, mode):
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.mode = mode
    if isinstance(content, pathlib.Path):
        content = content.read_bytes()
    entry.size = len(content)
    layer.addfile(entry, io.BytesIO(content))


def archive(path, name, files, **config):
    """Writes `path`, an image called `name`: files is {name: bytes or Path}, those below bin directories and without an ending can be executed."""
    blob = io.BytesIO()
    with tarfile.open(fileobj=blob, mode="w") as layer:
        for directory in sorted({str(parent) for file in files for parent in pathlib.PurePosixPath(file).parents} - {"/", "."}):
            entry = tarfile.TarInfo(directory.lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            layer.addfile(entry)
        for file, content in files.items():
            _add(layer, file, content, 0o644 if re.search(r"[.](sql|toml|crt)$", file) else 0o755)
    digest = hashlib.sha256(blob.getvalue()).hexdigest()
    image = {"architecture": "amd64", "os": "linux", "config": config, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}
    with tarfile.open(path, "w") as out:
        _add(out, "layer.tar", blob.getvalue(), 0o644)
        _add(out, "config.json", json.dumps(image).encode(), 0o644)
        _add(out, "manifest.json", json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode(), 0o644)
    return path


def pause(folder):
    """What holds a pod's namespaces."""
    (folder / "pause.c").write_text(PAUSE)
    subprocess.run(["gcc", "-static", "-Os", "-s", "-o", folder / "pause", folder / "pause.c"], check=True)
    return archive(folder / "pause.tar", "tidelock.test/pause:1", {"/pause": folder / "pause"}, Entrypoint=["/pause"])


def tidelock(folder, binary):
    """As docker/Dockerfile makes it, from the release binary."""
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text().split("FROM scratch")[1]
    user = re.search(r"(?m)^USER (\S+)", dockerfile)[1]
    entrypoint = json.loads(re.search(r"(?m)^ENTRYPOINT (.+)", dockerfile)[1])
    return archive(folder / "tidelock.tar", IMAGE, {"/tidelock": binary}, User=user, Entrypoint=entrypoint, Cmd=["help"])


def application(folder, tag, migrations, binary=None):
    """An application with its migrations, and with a shell, for it is a stand-in: guestbook:TAG. With `binary`, tidelock is in it."""
    files = {f"/app/prisma/migrations/{name}/migration.sql": script.encode() for name, script in migrations.items()}
    files["/app/prisma/migrations/migration_lock.toml"] = b'provider = "postgresql"\n'
    files["/bin/busybox"] = pathlib.Path("/bin/busybox")
    if binary:
        files["/tidelock"] = binary
    return archive(folder / f"guestbook-{tag}.tar", f"guestbook:{tag}", files, User="65532:65532", WorkingDir="/app")


def exporter(folder):
    """Prometheus' node exporter as Debian packages it, with the libraries that it wants."""
    program = ROOT / "build" / "node-exporter" / "usr" / "bin" / "prometheus-node-exporter"
    files = {"/bin/node_exporter": program}
    for line in subprocess.run(["ldd", program], capture_output=True, text=True).stdout.splitlines():
        library = re.search(r"(/\S+) \(0x", line)
        if library:
            files[library[1]] = pathlib.Path(library[1])
    return archive(folder / "exporter.tar", "prom/node-exporter:v1.9.1", files, User="65534", Entrypoint=["/bin/node_exporter"])
