"""Makes what `make dist` gives away: an archive that runs wherever it is
unpacked, and the same as a package for npm and one for Python.

  dist.py SOURCE_DIR BUILD_DIR OUT_DIR [--program-of BUILD_DIR] [--quick]

BUILD_DIR is a build of a release by Ninja; --program-of takes llm-proxy from
another build (tests do), --quick compresses little. What is in the archive
stands in docs/deploy/deployment.md. The packages hold its program, not its
libraries.
"""

import argparse
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tarfile

import elf
import npm
import pypi
import sbom

# Libraries of others that ours link and a system may have in another version.
# They lie where a linker finds them, apart from the program's own: a C++
# program must not meet an older libstdc++ there.
FOR_LIBRARIES = ("fmt", "simdjson", "yaml-cpp")
# Of an archive: what a compiler of another version could not read.
STRIP_ARCHIVE = ("--strip-debug", "--enable-deterministic-archives",
                 "-R", ".gnu.lto_*", "-R", ".gnu.debuglto_*",
                 "-N", "__gnu_lto_slim", "-N", "__gnu_lto_v1")


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def version_of(source):
    header = (source / "include/llmproxy/version.h").read_text("ascii")
    return re.search(r'LLMPROXY_VERSION "([^"]+)"', header)[1]


def time_of(source):
    """Seconds since 1970 that the files are dated: of the newest commit, so
    that the same commit makes the same archive."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(source), "log", "-1",
         "--format=%ct"],
        capture_output=True, text=True, check=False)
    return int(done.stdout or 0)


def install(builds, stage):
    """What `make install` installs, without what only debuggers need."""
    for tree, component in zip(builds, ("llmproxy_dev", "llmproxy_server")):
        run("cmake", "--install", str(tree), "--prefix", str(stage),
            "--component", component)
    run("strip", str(stage / "bin/llm-proxy"))
    for archive in (stage / "lib").glob("*.a"):
        run("strip", *STRIP_ARCHIVE, str(archive))


def bundle(stage):
    """Puts the shared libraries beside the program; gives them."""
    program = stage / "bin/llm-proxy"
    libraries = [library for library in elf.closure(program)
                 if not library.is_system]
    own = stage / "lib/llm-proxy"
    own.mkdir(parents=True)
    for library in libraries:
        common = library.stem in FOR_LIBRARIES
        library.placed = (own.parent if common else own) / library.name
        shutil.copy(library.path, library.placed)
        library.placed.chmod(0o644)
        if not common:
            elf.search_in(library.placed, "$ORIGIN:$ORIGIN/..")
    elf.search_in(program, "$ORIGIN/../lib/llm-proxy:$ORIGIN/../lib")
    return libraries


def point_consumers(stage, libraries):
    """Lets CMake and pkg-config find FOR_LIBRARIES in the archive."""
    found = {library.stem: library.name for library in libraries
             if library.stem in FOR_LIBRARIES}
    package = stage / "lib/cmake/llmproxy"
    lines = ["# Libraries that lie in the same archive."]
    for name, file in found.items():
        lines += [
            f"if(NOT TARGET llmproxy::bundled-{name})",
            f"  add_library(llmproxy::bundled-{name} SHARED IMPORTED)",
            f"  set_target_properties(llmproxy::bundled-{name} PROPERTIES",
            "    IMPORTED_LOCATION"
            f" \"${{CMAKE_CURRENT_LIST_DIR}}/../../{file}\")",
            "endif()"]
    (package / "llmproxy-bundled.cmake").write_text(
        "\n".join(lines) + "\n", "ascii")
    for path in package.glob("llmproxy-*-static.cmake"):
        text = path.read_text("ascii")
        for name in found:
            text = re.sub(rf"LINK_ONLY:(?:{name}::)?{name}>",
                          f"LINK_ONLY:llmproxy::bundled-{name}>", text)
        path.write_text(text, "ascii")
    for path in (stage / "lib/pkgconfig").glob("*.pc"):
        text = path.read_text("ascii")
        used = [name for name in found if
                re.search(rf"(?m)^Requires.private:.*\b{name}\b", text)]
        for name in used:
            text = re.sub(rf"(?m)^(Requires.private:.*?) *\b{name}\b",
                          r"\1", text)
        files = " ".join(f"${{libdir}}/{found[name]}" for name in used)
        text = re.sub(r"(?m)^Libs.private:(.*)$",
                      rf"Libs.private:\1 {files} -Wl,-rpath,${{libdir}}",
                      text)
        path.write_text(text, "ascii")


def add_documents(source, stage, parts):
    """Licences of all that is in it, documents, examples."""
    target = stage / "share/doc/llm-proxy"
    for name in ("docs", "examples"):
        shutil.copytree(source / name, target / name)
    for name in ("README.md", "LICENSE"):
        shutil.copy(source / name, target / name)
    licences = target / "licences"
    licences.mkdir()
    for part in parts:
        if os.path.exists(part.copyright_file):
            shutil.copy(part.copyright_file,
                        licences / f"{part.package}.copyright")


def add_checksums(stage):
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    (stage / "SHA256SUMS").write_text("".join(
        f"{sha256(path)}  {path.relative_to(stage)}\n" for path in files),
        "utf-8")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pack(stage, target, time, level):
    """A .tar.gz in which nothing tells who made it, and when."""

    def plain(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = time
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with open(target, "wb") as file, \
            gzip.GzipFile("", "wb", level, file, time) as packed, \
            tarfile.open(fileobj=packed, mode="w") as tar:
        for path in [stage, *sorted(stage.rglob("*"))]:
            tar.add(path, stage.name / path.relative_to(stage),
                    recursive=False, filter=plain)
    target.with_name(target.name + ".sha256").write_text(
        f"{sha256(target)}  {target.name}\n", "ascii")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--program-of", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    source, out = arguments.source.resolve(), arguments.out.resolve()
    version, time = version_of(source), time_of(source)
    level = 1 if arguments.quick else 9
    shutil.rmtree(out, ignore_errors=True)
    stage = out / f"llm-proxy-{version}-linux-{os.uname().machine}"
    builds = [arguments.build, arguments.program_of or arguments.build]
    install(builds, stage)
    libraries = bundle(stage)
    point_consumers(stage, libraries)
    glibc = max((elf.needed_glibc(path) for path in
                 [stage / "bin/llm-proxy", *(library.placed for library in
                                             libraries)]), default=(2, 0))
    parts = sbom.parts_of(set(builds), libraries)
    add_documents(source, stage, parts)
    sbom.write(stage / "sbom.cdx.json", version, time, parts)
    add_checksums(stage)
    made = [out / f"{stage.name}.tar.gz"]
    pack(stage, made[0], time, level)
    made.append(npm.make(source, stage, out, version))
    made.append(pypi.make(source, stage, out, version, glibc, time, level))
    print(f"{len(libraries)} shared libraries of {len(parts)} packages; runs"
          f" with glibc {glibc[0]}.{glibc[1]} or newer")
    for path in made:
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
