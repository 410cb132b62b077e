"""Files of all kinds in the working directory and in scratch."""
import mmap
import os
import pathlib
import shutil
import stat
import tempfile

folder = pathlib.Path("made")
folder.mkdir()
(folder / "a.txt").write_text("first\n")
os.link(folder / "a.txt", folder / "hard")
os.symlink("a.txt", folder / "soft")
os.chmod(folder / "a.txt", 0o640)
print(oct(stat.S_IMODE((folder / "soft").stat().st_mode)), (folder / "hard").stat().st_nlink)
with open(folder / "map", "w+b") as file:
    file.truncate(8192)
    with mmap.mmap(file.fileno(), 0) as mapped:
        mapped[4096:4101] = b"hello"
os.utime(folder / "map", (1, 2))
with tempfile.TemporaryDirectory() as scratch:
    shutil.copytree(folder, pathlib.Path(scratch) / "copy", symlinks=True)
    print(sorted(os.listdir(pathlib.Path(scratch) / "copy")))
(folder / "hard").unlink()
os.rename(folder / "map", "moved")
print(sorted(str(path) for path in folder.rglob("*")), os.path.getmtime("moved"))
