"""Builds the libraries as they are released: optimised, static and shared.

What consumer_test.py and interface_test.py look at. It does not take the
build that runs the tests: sanitizers and debug flags would reach those who
link it. All kinds are compiled by the same command lines, so that ccache
compiles each file once.

  package_build.py SOURCE_DIR OUT_DIR [--compiler CXX] [--only static|shared]
"""

import argparse
import os
import shutil
import subprocess
import sys

KINDS = {"static": "OFF", "shared": "ON"}


def run(*command, **options):
    """Output of a command; ends the program when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")
    return done.stdout


def configure_options(compiler):
    """What every build has to have in common for the cache to help."""
    options = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"]
    if compiler:
        options.append(f"-DCMAKE_CXX_COMPILER={compiler}")
    if shutil.which("ccache"):
        options.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    return options


def build(tree):
    run("cmake", "--build", tree, "-j", str(os.cpu_count()))


def build_kind(kind, source, out, compiler):
    """Path of the build tree of the static or the shared libraries."""
    tree = os.path.join(out, kind)
    run("cmake", "-S", source, "-B", tree, *configure_options(compiler),
        f"-DBUILD_SHARED_LIBS={KINDS[kind]}",
        "-DLLMPROXY_BUILD_SERVER=OFF", "-DLLMPROXY_BUILD_TESTS=OFF",
        "-DLLMPROXY_BUILD_EXAMPLES=OFF")
    build(tree)
    return tree


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("out")
    parser.add_argument("--compiler")
    parser.add_argument("--only", choices=KINDS)
    arguments = parser.parse_args()
    for kind in [arguments.only] if arguments.only else KINDS:
        tree = build_kind(kind, arguments.source, arguments.out,
                          arguments.compiler)
        print(f"{kind}: {tree}")


if __name__ == "__main__":
    main()
