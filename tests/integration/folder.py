"""A folder of migrations as Prisma lays it out."""

import shutil


class Folder:
    def __init__(self, root):
        """`root` becomes the project; the migrations are in prisma/migrations of it."""
        self.root = root
        self.path = root / "prisma" / "migrations"
        self.path.mkdir(parents=True)

    def add(self, name, script):
        """Adds a migration; gives the path of its script."""
        file = self.path / name / "migration.sql"
        file.parent.mkdir()
        if script is not None:
            file.write_bytes(script if isinstance(script, bytes) else script.encode())
        return file

    def replace(self, name, script):
        (self.path / name / "migration.sql").write_text(script)

    def remove(self, name):
        shutil.rmtree(self.path / name)

    def provider(self, text='provider = "postgresql"\n'):
        (self.path / "migration_lock.toml").write_text(text)
