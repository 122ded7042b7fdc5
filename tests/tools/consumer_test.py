"""Lets projects of others use the libraries, in every way that is promised.

The programs of tests/consumer are built by add_subdirectory, FetchContent,
find_package and pkg-config, the last two from copies that are installed
outside the repository, static and shared, and each is run, also as part of a
shared object. The core has to get by without the libraries that only its
siblings need. What programs write every day compiles without a warning, and
what is no C++20 is told so in one line.

  consumer_test.py SOURCE_DIR PACKAGE_DIR [--compiler CXX]

PACKAGE_DIR is what package_build.py has built.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import package_build
from package_build import KINDS, run

LEVELS = ["core", "client", "gateway"]
# What nobody should have to install for the core.
NOT_FOR_CORE = ["CURL", "OpenSSL", "yaml-cpp"]
# Compilers that the headers are for, too.
OTHER_COMPILERS = ["clang++-16", "clang++-14"]
# What a program that links the static core may load.
CORE_MAY_LOAD = re.compile(
    r"lib(simdjson|fmt|stdc\+\+|m|gcc_s|c)\.so\.\d+|ld-linux.*")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=os.path.abspath)
    parser.add_argument("package", type=os.path.abspath)
    parser.add_argument("--compiler", default="c++")
    return parser.parse_args()


ARGUMENTS = parse_arguments()
CONSUMER = os.path.join(ARGUMENTS.source, "tests/consumer")


def version():
    """MAJOR.MINOR of what was built."""
    with open(os.path.join(ARGUMENTS.source, "include/llmproxy/version.h"),
              encoding="ascii") as file:
        return re.search(r'LLMPROXY_VERSION "(\d+\.\d+)', file.read())[1]


def compilers():
    """The one that built the libraries, and others that are there."""
    return [ARGUMENTS.compiler, *filter(shutil.which, OTHER_COMPILERS)]


def needed(binary):
    """Libraries that a program or a library loads."""
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", binary))


class Consumers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.scratch = scratch.name
        cls.prefix = {}
        for kind in KINDS:
            cls.prefix[kind] = os.path.join(cls.scratch, "prefix", kind)
            run("cmake", "--install", os.path.join(ARGUMENTS.package, kind),
                "--prefix", cls.prefix[kind])

    def cmake(self, name, *options, folder=None):
        """Builds tests/consumer; the path of its build tree."""
        tree = os.path.join(folder or self.scratch, name)
        run("cmake", "-S", CONSUMER, "-B", tree, *options,
            f"-DVERSION={version()}",
            *package_build.configure_options(ARGUMENTS.compiler))
        package_build.build(tree)
        return tree

    def from_source(self, how):
        # Beside the other trees and as deep as they are: ccache, which may
        # make paths relative, then knows all objects already.
        self.run_all(self.cmake(how, f"-DHOW={how}",
                                f"-DSOURCE={ARGUMENTS.source}",
                                folder=ARGUMENTS.package))

    def run_all(self, folder, levels=tuple(LEVELS), **environment):
        """The programs of a build tree, or those that were built by hand."""
        names = [f"use_{level}" for level in levels]
        if os.path.exists(os.path.join(folder, "CMakeCache.txt")):
            names += [f"use_plugin_{level}" for level in levels]
            names += ["use_everyday"] if "gateway" in levels else []
        for name in names:
            done = subprocess.run([os.path.join(folder, name)],
                                  stdout=subprocess.DEVNULL,
                                  env={**os.environ, **environment},
                                  timeout=60, check=False)
            self.assertEqual(done.returncode, 0, f"{name} in {folder}")

    def compile_only(self, compiler, standard, file, *flags):
        return subprocess.run(
            [compiler, f"-std={standard}", "-fsyntax-only", *flags,
             f"-I{self.prefix['static']}/include", file],
            capture_output=True, text=True, check=False)

    def pkg_config(self, kind, level, *flags):
        """Compiles one program by hand, as its makefile would."""
        folder = os.path.join(self.scratch, f"pkg-config-{kind}")
        os.makedirs(folder, exist_ok=True)
        found = [os.path.join(folder, name) for folder, _, names in
                 os.walk(self.prefix[kind]) for name in names
                 if name == f"llmproxy-{level}.pc"]
        self.assertEqual(len(found), 1, found)
        given = run("pkg-config", "--cflags", "--libs", *flags,
                    f"llmproxy-{level}",
                    env={**os.environ,
                         "PKG_CONFIG_PATH": os.path.dirname(found[0])})
        program = os.path.join(folder, f"use_{level}")
        run(ARGUMENTS.compiler, "-std=c++20", "-o", program,
            os.path.join(CONSUMER, f"{level}.cc"), *given.split())
        return os.path.dirname(os.path.dirname(found[0]))

    def test_add_subdirectory(self):
        self.from_source("subdirectory")

    def test_fetch_content(self):
        self.from_source("fetch")

    def test_find_package_static(self):
        tree = self.cmake("package-static",
                          f"-DCMAKE_PREFIX_PATH={self.prefix['static']}")
        self.run_all(tree)

    def test_find_package_shared_needs_nothing_else(self):
        tree = self.cmake(
            "package-shared", f"-DCMAKE_PREFIX_PATH={self.prefix['shared']}",
            *(f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON"
              for name in [*NOT_FOR_CORE, "simdjson", "fmt"]))
        self.run_all(tree)
        self.assertTrue(
            any(name.startswith("libllmproxy-core.so.")
                for name in needed(os.path.join(tree, "use_core"))))

    def test_pkg_config_static(self):
        for level in LEVELS:
            self.pkg_config("static", level, "--static")
        self.run_all(os.path.join(self.scratch, "pkg-config-static"))

    def test_pkg_config_shared(self):
        for level in LEVELS:
            libraries = self.pkg_config("shared", level)
        self.run_all(os.path.join(self.scratch, "pkg-config-shared"),
                     LD_LIBRARY_PATH=libraries)

    def test_both_kinds_in_one_prefix(self):
        both = os.path.join(self.scratch, "prefix/both")
        for kind in KINDS:
            run("cmake", "--install", os.path.join(ARGUMENTS.package, kind),
                "--prefix", both)
        for kind, wanted in KINDS.items():
            tree = self.cmake(f"both-{kind}", "-DLEVELS=core",
                              f"-DCMAKE_PREFIX_PATH={both}",
                              f"-Dllmproxy_SHARED={wanted}")
            self.run_all(tree, ["core"])
            loaded = " ".join(needed(os.path.join(tree, "use_core")))
            self.assertEqual("libllmproxy-core" in loaded, kind == "shared")

    def test_core_alone(self):
        tree = self.cmake("core", "-DLEVELS=core",
                          f"-DCMAKE_PREFIX_PATH={self.prefix['static']}",
                          *(f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON"
                            for name in NOT_FOR_CORE))
        self.run_all(tree, ["core"])
        program = os.path.join(tree, "use_core")
        libraries = needed(program)
        for name in libraries:
            self.assertRegex(name, CORE_MAY_LOAD)
        self.assertTrue(any("simdjson" in name for name in libraries),
                        "the program does not use the core at all")
        run("strip", program)
        print(f"a program of the core alone: {os.path.getsize(program)} bytes"
              f" stripped, loads {' '.join(libraries)}", flush=True)

    def test_everyday_initialisers_are_clean(self):
        for compiler in compilers():
            done = self.compile_only(
                compiler, "c++20", os.path.join(CONSUMER, "everyday.cc"),
                "-Wall", "-Wextra", "-Wpedantic", "-Werror")
            self.assertEqual((done.returncode, done.stderr), (0, ""), compiler)

    def test_what_is_no_cxx20_is_told_so(self):
        include = os.path.join(self.prefix["static"], "include/llmproxy")
        headers = sorted(set(os.listdir(include)) - {"version.h"})
        self.assertGreater(len(headers), 20)
        for compiler in compilers():
            for header in headers:
                file = os.path.join(self.scratch, "old.cc")
                with open(file, "w", encoding="ascii") as source:
                    source.write(f'#include "llmproxy/{header}"\n')
                done = self.compile_only(compiler, "c++17", file)
                said = [line for line in done.stderr.splitlines()
                        if "error:" in line]
                self.assertIn("llmproxy needs C++20: compile with -std=c++20",
                              said[0] if said else done.stderr, header)
                # The second is what ends the compilation.
                self.assertEqual(len(said), 2, done.stderr)
                self.assertIn("llmproxy needs C++20", said[1])

    def test_installed_files_do_not_know_the_build(self):
        for kind, prefix in self.prefix.items():
            for folder, _, names in os.walk(prefix):
                for name in names:
                    if not name.endswith((".cmake", ".pc", ".h")):
                        continue
                    path = os.path.join(folder, name)
                    with open(path, encoding="ascii") as file:
                        text = file.read()
                    for place in (ARGUMENTS.source, ARGUMENTS.package, prefix):
                        self.assertNotIn(place, text, f"{kind}: {path}")


if __name__ == "__main__":
    program = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed", file=sys.stderr)
    sys.exit(1 if bad else 0)
