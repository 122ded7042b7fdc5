"""What a program loads, and what that asks of the system, for dist.py."""

import os
import pathlib
import re
import subprocess

# The package of glibc, which a system brings, and brings matching its kernel
# and its name service.
SYSTEM = "libc6"


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


class Library:
    def __init__(self, name, path):
        self.name = name  # "libfmt.so.9", as those who need it call it
        self.path = pathlib.Path(path).resolve()
        self.package = owner(path)
        self.placed = None  # where it lies in the archive

    @property
    def stem(self):
        """"fmt" """
        return re.fullmatch(r"lib(.+?)\.so.*", self.name)[1]

    @property
    def is_system(self):
        return self.package == SYSTEM


def owner(path):
    """The Debian package of a file; /lib and /usr/lib are the same folder,
    and dpkg knows a file by one of the names."""
    real = os.path.realpath(path)
    for name in (real, real.removeprefix("/usr")):
        done = subprocess.run(["dpkg-query", "-S", name], check=False,
                              capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    raise SystemExit(f"dist: {path} is of no package")


def closure(program):
    """All shared libraries that the program loads, as the loader says."""
    return [Library(name, path) for name, path in re.findall(
        r"^\s*(\S+) => (/\S+) \(", run("ldd", str(program)), re.MULTILINE)]


def search_in(path, folders):
    """Has the loader look for libraries there, `$ORIGIN` being the file's own
    folder."""
    run("patchelf", "--set-rpath", folders, str(path))


def needed_glibc(path):
    """(2, 36): the oldest glibc that the file runs with."""
    found = re.findall(r"GLIBC_(\d+)\.(\d+)", run("readelf", "-VW", str(path)))
    return max(((int(a), int(b)) for a, b in found), default=(2, 0))
